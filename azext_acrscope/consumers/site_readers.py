"""Read which registries an App Service or Functions site uses, from its rows and settings. No requests in here."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from azext_acrscope.base import hosts
from azext_acrscope.base.foreign_json import UnexpectedShape, as_bool, as_rows, as_text, member_at
from azext_acrscope.consumers.registry_uses import (
    ANONYMOUS,
    MANAGED_IDENTITY,
    PASSWORD_OR_NONE,
    UNKNOWN_AUTH,
    PullAuth,
    RegistryUse,
    Row,
    auth_of_username,
    make_uses,
    principals_of_identity,
)

SITE_TYPES = ("microsoft.web/sites", "microsoft.web/sites/slots")


def site_kind(row: Row) -> str:
    kind = as_text(row.get("kind")).lower()
    if "azurecontainerapps" in kind:
        return "functions-on-container-apps"
    return "functions" if "functionapp" in kind else "app-service"


def site_versions(row: Row, config: Row | None = None) -> list[str]:
    """linuxFxVersion and windowsFxVersion, from wherever they are: the site's two places and its config row.

    Usually one; where the places disagree, none is left out.
    """
    listed = {as_text(member_at(one, "name")).lower(): one for one in as_rows(row.get("siteProperties"))}
    found = []
    for name in ("linuxFxVersion", "windowsFxVersion"):
        found += [
            member_at(row.get("siteConfig"), name),
            member_at(listed.get(name.lower()), "value"),
            member_at(config, name),
        ]
    return list(dict.fromkeys(each for value in found if (each := as_text(value))))


def site_auth(row: Row, config: Row | None = None) -> PullAuth | None:
    """None where neither row says it. Where they disagree, it is the identity: what may break must not be missed."""
    places = (row.get("siteConfig"), config)
    said = [as_bool(member_at(place, "acrUseManagedIdentityCreds")) for place in places]
    if any(said):
        client = next((each for place in places if (each := as_text(member_at(place, "acrUserManagedIdentityID")))), "")
        return PullAuth(MANAGED_IDENTITY, principals_of_identity(row, client))
    return PullAuth(PASSWORD_OR_NONE) if False in said else None


def is_sidecar_site(version: str) -> bool:
    return version.lower() == "sitecontainers"


def site_images(version: str) -> list[str]:
    """The images of `DOCKER|image` and `COMPOSE|base64`; nothing for what runs no container.

    :raises Odd: the compose file cannot be read.
    """
    form, _, content = version.partition("|")
    if form.lower() == "docker":
        return [content]
    if form.lower() not in ("compose", "kube"):
        return []
    return _images_in_yaml(form, content)


def _images_in_yaml(form: str, encoded: str) -> list[str]:
    """What stands at `image` anywhere in a compose file or in Kubernetes objects."""
    from yaml import YAMLError, safe_load_all

    try:
        left: list[Any] = list(safe_load_all(base64.b64decode(encoded, validate=True).decode("utf-8")))
    except (binascii.Error, UnicodeDecodeError, YAMLError, ValueError, RecursionError) as error:
        raise UnexpectedShape(form) from error
    found, seen = [], set[int]()
    while left:
        value = left.pop(0)
        if not isinstance(value, (dict, list)) or id(value) in seen:
            continue
        seen.add(id(value))  # an alias stands for the same object, however often it is written
        if isinstance(value, dict):
            found += [as_text(each) for key, each in value.items() if key == "image" and not isinstance(each, dict)]
        left += value.values() if isinstance(value, dict) else value
    return found


def images_with_variable_registry(images: Iterable[str]) -> list[str]:
    """Images whose registry is a variable, which only the app's settings know."""
    return [image for image in images if "$" in image.partition("/")[0]]


def read_site_uses(row: Row, sign_in: PullAuth, suffix: str, config: Row | None = None) -> list[RegistryUse]:
    images = [image for version in site_versions(row, config) for image in site_images(version)]
    found = [host for image in images if (host := hosts.image_login_server(image, suffix))]
    return make_uses(row, site_kind(row), ((host, sign_in) for host in found))


def read_site_containers(row: Row, containers: list[Row], suffix: str) -> list[RegistryUse]:
    """Of the items that ARM lists below a site; several containers of one registry may sign in in several ways."""
    found = []
    for container in containers:
        host = hosts.image_login_server(as_text(member_at(container, "properties", "image")), suffix)
        if not host:
            continue
        how = as_text(member_at(container, "properties", "authType")).lower()
        if how in ("systemidentity", "userassigned"):
            client = (
                as_text(member_at(container, "properties", "userManagedIdentityClientId"))
                if how == "userassigned"
                else ""
            )
            sign_in = PullAuth(MANAGED_IDENTITY, principals_of_identity(row, client))
        elif how == "usercredentials":
            sign_in = auth_of_username(as_text(member_at(container, "properties", "userName")), host)
        else:
            sign_in = PullAuth(ANONYMOUS if how == "anonymous" else UNKNOWN_AUTH)
        found.append((host, sign_in))
    return make_uses(row, site_kind(row), found)
