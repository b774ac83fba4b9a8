"""Tests of how the local Azure Policy judges a registry."""
