"""Tests of requests to Azure as the account."""
