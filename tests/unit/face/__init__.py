"""Tests of what the commands accept as input."""
