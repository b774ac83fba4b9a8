"""Find code that exchanges a Microsoft Entra token for a registry's token by itself."""

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.languages.scripts import lines_of
from azext_acrscope.consumers.code.patterns.registry_words import find_login_server
from azext_acrscope.consumers.code.place import Place

_EXCHANGE = re.compile(r"/oauth2/exchange\b", re.IGNORECASE)
_HOST_BEFORE = re.compile(r"https://([A-Za-z0-9][A-Za-z0-9.-]{4,200})(?::443)?$")
_COMMENT = re.compile(
    r"\s*(?:#|//|\*|/\*|<!--|--\s|rem\s|-?\s*[\"']?(?:url|uri|path|requesturi)[\"']?\s*:)", re.IGNORECASE
)  # also what a recording of traffic has
_COMPARED = re.compile(r"(?:hassuffix|endswith|includes|contains|match(?:es)?|equals?)\(", re.IGNORECASE)
# `az account get-access-token` and Get-AzAccessToken ask for ARM's token if no other is named.
_ARM = re.compile(
    r"management(?:\.core)?\.(?:azure\.com|windows\.net|azure\.cn|chinacloudapi\.cn|usgovcloudapi\.net)"
    r"|management%2e|account get-access-token(?![^\n]*--(?:resource|scope))|Get-AzAccessToken(?![^\n]*-Resource)",
    re.IGNORECASE,
)
_ACR = re.compile(r"containerregistry\.azure\.(?:net|cn|us)", re.IGNORECASE)
# Who only plays the registry's part, or records it.
_PLAYED = re.compile(
    r"nock\(|httptest\.|HandleFunc|@app\.route|responses\.add|requests_mock|respx\.|WireMock|msw", re.IGNORECASE
)


def find_exchanges(text: str) -> Iterator[Place]:
    """Yield the first line of a file that posts to `/oauth2/exchange` of each registry that it names in plain letters,
    and the first where it names none, if the file says for which audience.
    """
    if not (match := _EXCHANGE.search(text)) or _PLAYED.search(text):
        return
    is_arm, is_acr = bool(_ARM.search(text)), bool(_ACR.search(text))
    if not (is_arm or is_acr):
        return
    pattern = "exchange-arm" if not is_acr else "exchange-acr" if not is_arm else "exchange-either"
    seen = set[str | None]()
    while match:
        start = text.rfind("\n", 0, match.start()) + 1
        if not (_COMMENT.match(text[start : start + 200]) or _COMPARED.search(text[start : start + 200])):  # noqa: E203
            host = _HOST_BEFORE.search(text[max(start, match.start() - 220) : match.start()])  # noqa: E203
            registry = find_login_server(host[1]) if host else None
            if registry not in seen:
                seen.add(registry)
                yield Place(lines_of(text)(match.start()), pattern, registry)
        match = _EXCHANGE.search(text, match.end())
