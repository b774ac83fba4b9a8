"""What exists in the local Azure: registries, identities, roles, scopes and logs, without any network."""
