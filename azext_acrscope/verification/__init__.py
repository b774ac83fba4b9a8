"""What a registry really does: the two-token probe, and the check around it."""
