"""Requests to Azure as the account of the CLI: Resource Manager, Resource Graph, Log Analytics."""
