"""Readers of code."""
