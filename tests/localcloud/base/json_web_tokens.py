"""JSON web tokens: RSA keys that are made once per process, signing, and strict checking of signatures.

Expiry, audience and issuer are judged by whoever receives a token (ARM, the registries, Entra), since each answers
differently; here only the form and the signature are checked.
"""

from __future__ import annotations

import base64
import datetime
import functools
import json
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

Claims = dict[str, Any]

_CACHE_LIMIT = 20_000
# Only the signature: the receiver judges times and audience by the world's clock.
_OPTIONS: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
_SIGNATURE_ONLY = jwt.PyJWT(options=_OPTIONS)


class BadToken(Exception):
    """The text is not a JWT, or its signature is not by the expected key."""


class SigningKey:
    """One RSA key with a self-signed certificate, by which the docker-registry program can check our signatures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = self._self_signed(name)
        self.key_id = base64.urlsafe_b64encode(self._certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        self._checked: dict[str, Claims] = {}

    def _self_signed(self, name: str) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        builder = builder.public_key(self._private.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=30))
        return builder.sign(self._private, hashes.SHA256())

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def private_pem(self) -> bytes:
        """The key and its certificate, as a client that signs with it keeps them in one file."""
        key = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + self.certificate_pem

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as Entra publishes it under discovery/v2.0/keys."""
        numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key()))
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": numbers["n"],
            "e": numbers["e"],
        }

    def sign(self, claims: Claims, with_chain: bool = False) -> str:
        """A compact RS256 token; with_chain adds the x5c header that docker-registry verifies."""
        headers: dict[str, Any] = {"kid": self.key_id, "x5t": self.key_id}
        if with_chain:
            der = self._certificate.public_bytes(serialization.Encoding.DER)
            headers["x5c"] = [base64.b64encode(der).decode()]
        return jwt.encode(claims, self._private, algorithm="RS256", headers=headers)

    def verify(self, token: str) -> Claims:
        """The claims of a token signed by this key. Checked tokens are remembered, so a busy client costs nothing."""
        known = self._checked.get(token)
        if known is not None:
            return known
        try:
            claims: Claims = _SIGNATURE_ONLY.decode(token, self._private.public_key(), algorithms=["RS256"])
        except (jwt.PyJWTError, ValueError, UnicodeError) as error:
            raise BadToken(str(error)) from error
        if len(self._checked) >= _CACHE_LIMIT:
            self._checked.clear()
        self._checked[token] = claims
        return claims


@functools.cache
def signing_key(name: str) -> SigningKey:
    """The process's key of that name. Making one takes a tenth of a second, so every world shares them."""
    return SigningKey(name)
