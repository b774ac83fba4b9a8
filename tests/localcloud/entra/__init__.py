"""Microsoft Entra ID: the token endpoint, managed identity endpoints and the identity tokens of CI jobs."""
