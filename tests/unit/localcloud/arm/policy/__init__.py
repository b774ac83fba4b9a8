"""Tests of the APIs of the local Azure Policy."""
