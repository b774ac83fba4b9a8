"""Join Bicep's modules by alias (`br/ours:storage:v1`) to the registries that bicepconfig.json names. Pure."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace

from azext_acrscope.consumers.code.limits import BeyondLimitsError
from azext_acrscope.consumers.code.place import Place

CONFIGURATION = "bicepconfig.json"
_JOINED = "bicep-module"

Aliases = Mapping[str, str | None]  # login servers by alias; None for a registry that is none of Azure's


def read_aliases(text: str) -> Aliases:
    """Return what a bicepconfig.json says of aliases; nothing if it is beyond the limits, which its reader tells."""
    # Only here: every `enforce` and `report` loads this module, and few read code.
    from azext_acrscope.consumers.code.languages.expressions import entries_of, find_node, plain_text
    from azext_acrscope.consumers.code.languages.json_documents import read_json
    from azext_acrscope.consumers.code.patterns.registry_names import ACR, OTHER, read_server_text

    aliases: dict[str, str | None] = {}
    try:
        file = next(iter(read_json(text)), None)
    except BeyondLimitsError:
        return {}
    for alias, value in entries_of(find_node(file, "modulealiases", "br")):
        server = read_server_text(plain_text(find_node(value, "registry")) or "")
        if server.kind in (ACR, OTHER):
            aliases[alias.text] = server.host
    return aliases


def join_modules(places: Iterable[tuple[str, Place]], by_folder: Mapping[str, Aliases]) -> list[tuple[str, Place]]:
    """Return the places with the registries of aliases, and without modules of registries that are none of Azure's.

    :param by_folder: what the bicepconfig.json of each folder says. As for Bicep, the nearest counts.
    """
    joined = []
    for file, place in places:
        aliases = _nearest(file, by_folder) if place.alias else {}
        if not place.alias or place.alias not in aliases:
            joined.append((file, place))
        elif host := aliases[place.alias]:
            joined.append((file, replace(place, pattern=_JOINED, registry=host)))
    return joined


def _nearest(file: str, by_folder: Mapping[str, Aliases]) -> Aliases:
    folder = posixpath.dirname(file)
    while folder not in by_folder and folder.strip("/"):
        folder = posixpath.dirname(folder)
    return by_folder.get(folder, {})
