"""Tests of the local Azure Resource Manager."""
