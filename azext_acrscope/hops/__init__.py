"""From who signs in to a registry's token: the first hop (Entra ID) and the second (the login server)."""
