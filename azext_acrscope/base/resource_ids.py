"""Take resource IDs of Azure apart: the one place where one is split.

`parse_resource_id` of azure-mgmt-core does not serve: it knows no management group, matches a prefix, and returns
whatever it does not understand as a name. Nothing here makes a request path: that is `arm.paths`, which checks names.
"""

import re
from functools import lru_cache
from typing import NamedTuple

SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
RESOURCE_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
MANAGEMENT_GROUP_TYPE = "Microsoft.Management/managementGroups"
REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries"

_ASSIGNMENT_NAME = r"[^<>*%&:\\?.+/\x00-\x1f]*[^<>*%&:\\?.+/\x00-\x1f ]"
# The service's own rules for names (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
# A resource group may have letters of any alphabet.
_NAMES_BY_KIND: dict[str, re.Pattern[str]] = {
    "subscription": re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}", re.ASCII),
    "group": re.compile(r"[-\w.()]{0,89}[-\w()]"),
    "management_group": re.compile(r"[0-9A-Za-z]([\w().-]{0,88}[\w()-])?", re.ASCII),
    "registry": re.compile(r"[0-9A-Za-z]{5,50}", re.ASCII),
    "assignment": re.compile(_ASSIGNMENT_NAME, re.ASCII),
    "name": re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,127}", re.ASCII),  # one that we make
}


class ResourceId(NamedTuple):  # pylint: disable=too-many-instance-attributes  # plain data
    """A resource ID in its parts, as written; a part that an ID does not have is empty.

    :ivar management_group: the management group that it is, or that an extension resource (an assignment) is at.
    :ivar type: of the resource itself, such as ``Microsoft.Web/sites/slots``; empty without a name after it.
    :ivar name: the last segment; of text that is no ID, the text.
    :ivar parent: the ID of the resource above a child resource; of any other what it lies in.
    :ivar scope: what is before the last ``/providers/``: the resource group, or what an extension resource is at.
    """

    text: str
    subscription: str = ""
    resource_group: str = ""
    management_group: str = ""
    type: str = ""
    name: str = ""
    parent: str = ""
    scope: str = ""

    def has_type(self, resource_type: str) -> bool:
        """Return whether the resource has a type, in any case of letters."""
        return self.type.lower() == resource_type.lower()

    @property
    def subscription_scope(self) -> str:
        """Return the ID of its subscription; empty without one."""
        return f"/subscriptions/{self.subscription}" if self.subscription else ""

    def is_in_group(self, resource_type: str) -> bool:
        """Return whether it is a resource of a type directly in a resource group: no child, no extension."""
        return self.has_type(resource_type) and parse_resource_id(self.parent).has_type(RESOURCE_GROUP_TYPE)


@lru_cache(4096)  # scopes are asked about once for each registry of a fleet
def parse_resource_id(text: str) -> ResourceId:
    """Return the parts of a resource ID; of text that is none only its name is known. Nothing is checked."""
    segments = split_segments(text)
    if not text.startswith("/"):
        return ResourceId(text, name=segments[-1])
    lowered = [each.lower() for each in segments]
    subscription, group, types, at = "", "", [""], 0
    if lowered[0] == "subscriptions" and len(segments) > 1:
        subscription, types, at = segments[1], [SUBSCRIPTION_TYPE], 2
        if lowered[2:3] == ["resourcegroups"] and len(segments) > 3:
            group, types, at = segments[3], [RESOURCE_GROUP_TYPE], 4
    scope, parent, management_group = 0, 2 if group else 0, ""
    while at < len(segments):  # pairs of a type and a name, each provider's after its namespace
        if lowered[at] == "providers":
            scope = parent = at
            first, at = at + 1, at + 3
            types = segments[first:at]
        else:
            parent = at
            types = [*types, segments[at]]
            at += 1
        if "/".join(types).lower() == MANAGEMENT_GROUP_TYPE.lower():
            management_group = segments[at] if at < len(segments) else ""
        at += 1
    return ResourceId(
        text.removesuffix("/"),
        subscription,
        group,
        management_group,
        "/".join(types) if at == len(segments) else "",  # without a name, a list
        segments[-1],
        _join_segments(segments[:parent]),
        _join_segments(segments[:scope]),
    )


def split_segments(text: str) -> list[str]:
    """Return the segments of an ID, without a slash at its ends; of no text one that is empty."""
    return text.removeprefix("/").removesuffix("/").split("/")


def _join_segments(segments: list[str]) -> str:
    return "/" + "/".join(segments) if segments else ""


def name_in_id(text: str) -> str:
    """Return the name in an ID, which is its last segment; of an object ID or a name, the text."""
    return parse_resource_id(text).name


def enclosing_resource(text: str, resource_type: str) -> str:
    """Return the ID of the nearest resource of a type that an ID is, or lies in; empty without one."""
    found = parse_resource_id(text)
    while found.text and not found.has_type(resource_type):
        found = parse_resource_id(found.parent)
    return found.text


def management_group_name(scope: str) -> str | None:
    """Return the lower-cased name of the management group that a scope is; None for any other."""
    found = parse_resource_id(scope)
    return found.name.lower() if found.has_type(MANAGEMENT_GROUP_TYPE) and found.management_group else None


def management_group_scope(name: str) -> str:
    """Return the scope of a management group for comparisons, in lower case."""
    return f"/providers/{MANAGEMENT_GROUP_TYPE}/{name}".lower()


def is_arm_name(kind: str, text: object) -> bool:
    """Return whether a text is a valid name of a kind: subscription, group, management_group, registry, assignment."""
    return isinstance(text, str) and bool(_NAMES_BY_KIND[kind].fullmatch(text)) and text not in (".", "..")
