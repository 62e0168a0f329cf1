"""Tests of Skerry, one folder a subject."""
