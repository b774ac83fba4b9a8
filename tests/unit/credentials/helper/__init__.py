"""docker-credential-acrscope: its protocol, its cache, its renewal and its installation."""
