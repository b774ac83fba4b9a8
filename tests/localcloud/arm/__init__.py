"""Azure Resource Manager on management.azure.com: the router, what all its APIs share, and the smaller APIs."""
