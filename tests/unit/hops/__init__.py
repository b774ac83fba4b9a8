"""Tests of the way from an account to a registry token."""
