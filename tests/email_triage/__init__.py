"""Tests of the email workflow."""
