"""Tests of tokens, hosts, HTTP and processes."""
