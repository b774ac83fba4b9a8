"""The change, for one registry or ten thousand: plan, preflight, run, record."""
