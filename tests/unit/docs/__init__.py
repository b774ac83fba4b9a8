"""Tests of the documents and of what follows them."""
