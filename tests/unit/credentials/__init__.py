"""Tests of where credentials go."""
