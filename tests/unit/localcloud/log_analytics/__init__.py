"""Tests of the local Log Analytics."""
