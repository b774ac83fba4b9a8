"""Tests of what scenarios are made of."""
