"""`docker-credential-acrscope`, docker's credential helper: answers from a cache, and makes both hops when it must."""
