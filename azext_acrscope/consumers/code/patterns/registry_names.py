"""Say which registry a value of a template names: a host, a URL, an image, or what only the run knows."""

import re
from dataclasses import dataclass

from azext_acrscope.consumers.code.languages.expressions import Expression, texts_in
from azext_acrscope.consumers.code.patterns.registry_words import find_login_server

ACR, VARIABLE, OTHER, ABSENT = "acr", "variable", "other", "absent"
_ARM_TEXT = re.compile(r"'([^']*)'")
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?")
_IDENTIFIER = re.compile(r"[^\W\d][\w.-]*")
_ZONE = re.compile(r"privatelink\.azurecr\.|\.data\.azurecr\.", re.IGNORECASE)


@dataclass(frozen=True)
class Server:
    """Which registry a value names.

    :ivar kind: one of the constants above; `variable` is one that only the run knows.
    :ivar host: the login server, if the value says it in plain letters.
    """

    kind: str
    host: str | None = None

    @property
    def may_be_acr(self) -> bool:
        """Return whether it is a registry of Azure's, or may be one."""
        return self.kind in (ACR, VARIABLE)


def read_server(node: object) -> Server:
    """Return which registry a value names: a host, a URL, an image, or `DOCKER|image`."""
    found = {read_server_text(text) for text in texts_in(node) if re.search(r"\w", text)}
    if isinstance(node, Expression):
        found |= {Server(VARIABLE) for word in node.words if _IDENTIFIER.fullmatch(word)}
    if hosts := sorted(server.host for server in found if server.host):
        return Server(ACR, hosts[0])
    kinds = {server.kind for server in found}
    return Server(next((kind for kind in (VARIABLE, OTHER) if kind in kinds), ABSENT))


def read_server_text(text: str) -> Server:
    """Return which registry a text names."""
    reference = text.strip()
    if reference.startswith("[") and reference.endswith("]"):
        quoted = (find_acr(_without_prefix(piece)) for piece in _ARM_TEXT.findall(reference))
        host = next((each for each in quoted if each), None)
        return Server(ACR, host) if host else Server(VARIABLE)
    reference = _without_prefix(reference)
    if host := find_acr(reference):
        return Server(ACR, host)
    if reference.lower() in ("", "null", "none", "~") or _ZONE.search(reference):
        return Server(ABSENT)
    host, slash, _ = re.sub(r"^[a-z]{2,10}://", "", reference.lower()).partition("/")
    plain = not re.search(r"[${<]", reference)
    return Server(OTHER if plain or (slash and _HOST.fullmatch(host)) else VARIABLE)


def find_acr(reference: str) -> str | None:
    """Return the login server that a reference names in plain letters; zones of private endpoints are none."""
    return None if _ZONE.search(reference) else find_login_server(reference)


def _without_prefix(reference: str) -> str:
    return reference.rpartition("|")[2].strip()
