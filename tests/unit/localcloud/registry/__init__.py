"""Tests of the local registries' data plane."""
