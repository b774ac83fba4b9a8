"""Tests of the registry resource and of finding it."""
