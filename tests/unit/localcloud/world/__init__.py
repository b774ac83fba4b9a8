"""Tests of what exists in the local Azure."""
