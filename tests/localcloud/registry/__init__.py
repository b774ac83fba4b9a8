"""The data plane of a container registry: the login server, its tokens, and the real registry program behind it."""
