"""Azure Resource Graph in Azure Resource Manager: requests, tables, refusals and paging."""
