"""Host rules: how a registry may be named, and which hosts may ever be sent a token.

All decisions about hosts are made in this file. The forms of a login server come from the service's documentation:

- ``name.azurecr.io``, the plain one; the suffix is the cloud's (``.azurecr.cn``, ``.azurecr.us`` …);
- ``name-hash.azurecr.io``, where a domain name label scope adds a hash (the hash names the owner: never strip it);
- ``name.region.geo.azurecr.io``, a regional login server, with or without a hash;
- ``name.region.data.azurecr.io`` is a data endpoint: it serves layers, is no login server, and gets no token.
"""

import re
from typing import Any, NamedTuple

from azext_acrscope.base import errors
from azext_acrscope.base.resource_ids import REGISTRY_TYPE, is_arm_name, parse_resource_id

_HOST = re.compile(
    r"(?P<name>[a-z0-9]{5,50})(?P<label>-[a-z0-9]([a-z0-9-]*[a-z0-9])?)?(?P<geo>\.[a-z0-9]+\.geo)?", re.ASCII
)
_MAX_LABEL = 63  # RFC 1035


class RegistryRef(NamedTuple):
    """A registry as its user named it. `name` is always known; the rest as far as the user said it."""

    name: str
    login_server: str | None = None
    resource_group: str | None = None
    subscription_id: str | None = None


def login_server_suffix(cloud: Any) -> str:
    """Return the login server suffix of a CLI cloud, with its leading dot; empty where the cloud has none."""
    from azure.cli.core.cloud import CloudSuffixNotSetException

    try:
        suffix = cloud.suffixes.acr_login_server_endpoint
    except CloudSuffixNotSetException:
        return ""
    bare = str(suffix or "").lower().strip(".")
    return f".{bare}" if bare else ""


def parse_registry(text: str, suffix: str) -> RegistryRef:
    """Understand a registry name, a login server or an ARM resource ID.

    :param text: what the user typed.
    :param suffix: the login server suffix of the cloud in use, with its dot; empty where the cloud has none.
    :raises InvalidArgumentValueError: for anything else, saying what is wrong with it.
    """
    text = text.strip()
    if text.startswith("/") or text.lower().startswith("subscriptions/"):
        return _parse_registry_id(text)
    if is_arm_name("registry", text):
        return RegistryRef(text)
    host = check_login_server(text, suffix)
    return RegistryRef(_split_host(host, suffix)["name"], host)


def _parse_registry_id(text: str) -> RegistryRef:
    found = parse_resource_id(text)
    names = {"subscription": found.subscription, "group": found.resource_group, "registry": found.name}
    if not (found.is_in_group(REGISTRY_TYPE) and all(is_arm_name(kind, name) for kind, name in names.items())):
        raise errors.bad_registry_id(text)
    return RegistryRef(found.name, None, found.resource_group, found.subscription)


def check_login_server(host: str, suffix: str) -> str:
    """Return the host, in lower case but otherwise as given, if it is a login server of the cloud in use.

    This is the gate that every token passes: nothing is sent to a host that was not returned from here.

    :raises InvalidArgumentValueError: saying what is wrong with the host.
    """
    if not suffix:
        raise errors.cloud_without_suffix(host)
    if re.fullmatch(r"[\w-]*", host):
        raise errors.bad_registry_name(host)
    if not re.fullmatch(r"[A-Za-z0-9.-]+", host, re.ASCII):
        raise errors.not_a_bare_host(host)
    lowered = host.lower()
    if re.search(r"\.data$", lowered.removesuffix(suffix)) and lowered.endswith(suffix):
        raise errors.data_endpoint(host)
    if not _split_host(lowered, suffix):
        raise errors.foreign_login_server(host, suffix)
    return lowered


def global_login_server(host: str, suffix: str) -> str:
    """Return the global login server of the registry that a (perhaps regional) login server belongs to."""
    parts = _split_host(host, suffix)
    return f"{parts['name']}{parts['label']}{suffix}" if parts else host


def regional_login_server(host: str, region: str, suffix: str) -> str:
    """Return the regional login server of a registry, by any of its login servers and the name of an Azure region.

    :raises InvalidArgumentValueError: no region can be named so.
    """
    region = check_region(region)
    bare = global_login_server(host, suffix).removesuffix(suffix)
    return check_login_server(f"{bare}.{region}.geo{suffix}", suffix)


def check_region(region: str) -> str:
    """Return the name of an Azure region as hosts have it; `West Europe` is what people read.

    :raises InvalidArgumentValueError: no region can be named so.
    """
    bare = region.lower().replace(" ", "")
    if not re.fullmatch(r"[a-z0-9]{2,40}", bare, re.ASCII):
        raise errors.bad_region(bare)
    return bare


def default_login_server(name: str, suffix: str) -> str:
    """Return the login server of a registry without a domain name label: only a guess where ARM could not be asked."""
    return check_login_server(f"{name}{suffix}", suffix)


def is_own_realm(realm: str, login_server: str) -> bool:
    """Return whether a challenge's realm is the login server's own token endpoint, to the letter.

    A client follows the realm with its credential, so any other host, port, user info or path is refused.
    """
    return realm == f"https://{login_server}/oauth2/token"


def is_own_service(service: str, login_server: str, suffix: str) -> bool:
    """Return whether a challenge's service is this registry: its login server or, for a regional one, the global."""
    return service in (login_server, global_login_server(login_server, suffix))


def host_of_reference(reference: str) -> str:
    """Return the host, in lower case, that stands before the first slash of an image reference, a URL or a host.

    What tools write before it (`https://`, `oci://`, `docker://`) and the port 443 after it are left out. Nothing is
    checked: any other port, user info and what is no host at all come back as they are. `host_of_server_url` in the
    credential helper is another function because its rules differ: it decides whether a credential is answered, so it
    returns nothing for http, another port or user info; and it must load nothing but the standard library.
    """
    return _without_scheme(reference).partition("/")[0].lower().removesuffix(":443")


def _without_scheme(reference: str) -> str:
    return re.sub(r"^[a-z]{2,10}://", "", reference.strip(), flags=re.IGNORECASE)


def image_login_server(reference: str, suffix: str, bare: bool = False) -> str | None:
    """Return the global login server of the registry that an image reference names; None for any other host.

    The host is what stands before the first slash, compared as a whole: no part of a name ever matches. What tools
    write before it (`https://`, `oci://`, `docker://`) and the port 443 after it make no difference.

    :param bare: whether a reference may be a host alone, as in lists of servers.
    """
    if not (bare or "/" in _without_scheme(reference)):
        return None
    host = host_of_reference(reference)
    return global_login_server(host, suffix) if suffix and _split_host(host, suffix) else None


def is_login_server_of(login_server: str, own: str) -> bool:
    """Return whether a login server, perhaps a regional one, is that of the registry with this global one."""
    label, _, rest = login_server.lower().partition(".")
    own_label, _, own_rest = own.lower().partition(".")
    return label == own_label and (rest == own_rest or rest.endswith(f".geo.{own_rest}"))


def registry_name_of(login_server: str) -> str:
    """Return the registry's name in a login server, without a hash: the user name of its admin user."""
    return login_server.partition(".")[0].partition("-")[0]


def without_hash(login_server: str) -> str:
    """Return a login server as those write it who know only the registry's name: without the hash that it may have.

    It is the registry's own, or nobody's, or somebody else's: good for finding what may be meant, not for signing in.
    """
    return f"{registry_name_of(login_server)}.{login_server.partition('.')[2]}".lower()


def _split_host(host: str, suffix: str) -> dict[str, str]:
    match = _HOST.fullmatch(host.removesuffix(suffix)) if host.endswith(suffix) else None
    if not match or len(match["name"] + (match["label"] or "")) > _MAX_LABEL:
        return {}
    return {key: value or "" for key, value in match.groupdict().items()}
