"""The APIs of Azure Policy in Azure Resource Manager: Microsoft.Authorization and Microsoft.PolicyInsights."""
