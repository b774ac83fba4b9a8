"""Find login servers of Azure's clouds in words of files. A word with a variable names none."""

import re
from functools import lru_cache

from azext_acrscope.base import hosts

_SUFFIXES = {"azurecloud": ".azurecr.io", "azurechinacloud": ".azurecr.cn", "azureusgovernment": ".azurecr.us"}
_HOSTS = tuple(dict.fromkeys(_SUFFIXES.values()))
_NAME = re.compile(r"[a-z0-9]{5,50}", re.ASCII)
_OTHER_CLOUDS = ("azurechinacloud", "azureusgovernment")
# A variable in a pipeline of Azure that is not one of the system's; to be compiled with IGNORECASE.
OPEN_MACRO = r"\$\((?!(?:system|build|agent|pipeline)\.)([\w.-]+)\)"
# `acr` as a part of a name: ACR_LOGIN_SERVER, acrName, myAcr; not DefaultAzureCredential, macro, sacred.
_ACR_IN_NAME = re.compile(
    r"(?<![A-Za-z])(?:acr|ACR|Acr)(?![a-z])|(?<=[a-z0-9])Acr(?![a-z])"
    r"|(?<![a-z])(?i:acr)(?i:_?-?(?:name|login|server|host|url|uri|registry|user|password))"
    r"|azurecr|(?i:azure_?-?container_?-?registry)|(?i:login_?-?server)"
)


def find_login_server(reference: str) -> str | None:
    """Return the global login server that an image, a URL or a host names in plain letters; None for all others."""
    lowered = reference.strip().lower()
    for suffix in _HOSTS:
        if suffix in lowered and (found := hosts.image_login_server(lowered, suffix, bare=True)):
            return found
    return None


def is_registry_host(reference: str) -> bool:
    """Return whether a word names a host of a container registry, even if its name is a variable."""
    host = re.sub(r"^[a-z]{2,10}:/?/?", "", reference.strip().lower()).partition("/")[0]
    host = host.rstrip("\"'").removesuffix(":443")
    return host.endswith(_HOSTS) and not re.search(r"(^|\.)(privatelink|data)\.azurecr", host)


def named_login_server(name: str, text: str = "") -> str | None:
    """Return the login server of a registry by its name or login server, as the CLI takes it; None for a variable.

    :param text: of the file: the clouds it names decide the suffix.
    """
    if "." in name:
        return find_login_server(name)
    lowered = name.lower()
    if not _NAME.fullmatch(lowered):
        return None
    return lowered + _suffix_of(text)


@lru_cache(maxsize=2)  # of the text of a file: asked again for each command in it
def _suffix_of(text: str) -> str:
    lowered = text.lower()
    clouds = [each for each in _OTHER_CLOUDS if each in lowered]
    return _SUFFIXES[clouds[0]] if len(clouds) == 1 else _HOSTS[0]


def seems_registry_name(expression: str) -> bool:
    """Return whether the name of a variable speaks of Azure Container Registry."""
    return bool(_ACR_IN_NAME.search(expression))
