"""Tests of the local Resource Graph."""
