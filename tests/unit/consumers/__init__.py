"""Who uses a registry: reading rows, rights, and verdicts."""
