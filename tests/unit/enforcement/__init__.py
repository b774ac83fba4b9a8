"""Tests of changing one registry or many."""
