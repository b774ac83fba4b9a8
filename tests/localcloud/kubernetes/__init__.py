"""A cluster's API server, as far as a pull secret needs one: discovery, server-side apply, roles by name."""
