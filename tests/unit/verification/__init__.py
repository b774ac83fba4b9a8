"""Tests of the probe and of the check."""
