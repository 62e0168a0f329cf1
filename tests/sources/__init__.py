"""Tests of what a node watches."""
