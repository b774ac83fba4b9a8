"""No token anywhere it should not be: a whole session is run, and all it left behind is searched for every secret."""


def holds_any(data: bytes, secrets: set[bytes]) -> bool:
    """Whether the data holds a secret, or the signature (the secret part) of a token."""
    return any(secret in data or (secret.count(b".") == 2 and secret.rpartition(b".")[2] in data) for secret in secrets)
