"""Tests of the local Entra ID."""
