"""Tests of how requests reach the local services."""
