"""What the helper goes by: its settings, and who is signed in. Read on each `get`, so the standard library alone."""

import os

from azext_acrscope.base import light_json, systems
from azext_acrscope.base.regular_files import read_regular_file

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from typing import Any

DEFAULT_SOURCE = {"credential": "cli"}  # where nothing else is said for a host: as the account of the CLI
# What picks the identity for those credentials that read it from the environment, besides what the settings say.
_IDENTITY_VARIABLES = [
    f"{prefix}_{name}" for prefix in ("AZURE", "AZURESUBSCRIPTION") for name in ("CLIENT_ID", "TENANT_ID")
]


class Unreadable(Exception):
    """A file that says whose token to answer with is there, and cannot be read; `file` is its path."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


def config_folder() -> str:
    """Return the CLI's configuration directory, by the CLI's rule."""
    return os.path.expanduser(os.environ.get("AZURE_CONFIG_DIR") or os.path.join("~", ".azure"))


def helper_folder() -> str:
    """Return the helper's own folder in it."""
    return os.path.join(config_folder(), "acrscope")


def settings_file() -> str:
    """Return the path of the settings."""
    return os.path.join(helper_folder(), "helper.json")


def read_settings() -> "dict[str, dict[str, str]]":
    """Return the hosts that `configure-docker` set up, each with `credential` and, if given, `client_id`, `tenant` and
    `subscription`.

    :raises Unreadable: there are settings, but they cannot be read: the wrong identity may be theirs.
    """
    content = _read_json(settings_file())
    hosts = {} if content is None else content.get("hosts")
    if not isinstance(hosts, dict):
        raise Unreadable(settings_file())
    for source in hosts.values():
        if not isinstance(source, dict) or not all(isinstance(value, str) for value in source.values()):
            raise Unreadable(settings_file())
    return hosts


def _read_json(file: str) -> "dict[str, Any] | None":
    """The JSON object in a file; None if there is no file."""
    try:
        content = light_json.load_bytes(read_regular_file(file))
    except FileNotFoundError:
        if os.path.islink(file):
            raise Unreadable(file) from None
        return None
    except (OSError, ValueError, RecursionError):
        raise Unreadable(file) from None
    if not isinstance(content, dict):
        raise Unreadable(file)
    return content


def identity_key(source: "dict[str, str]") -> "str | None":
    """Return a key for the signed-in account; another account has another key. None if nobody is signed in.

    :param source: a host's settings.
    :raises Unreadable: it is not known who is signed in.
    """
    if source.get("credential", "cli") == "cli":
        who: Any = _signed_in_accounts(source.get("subscription"))
        if not who:
            return None
    else:
        who = [os.environ.get(name) for name in _IDENTITY_VARIABLES]
    return light_json.dump([source, who, _machine_name()], sort_keys=True)


def signed_in_since(moment: float) -> bool:
    """Return whether the CLI has written its accounts, as each sign-in does, since a moment: seconds since the epoch.

    To the second, as some file systems keep it.
    """
    try:
        return int(os.stat(_profile_file()).st_mtime) >= int(moment)
    except OSError:
        return False


def may_be_in_use(identity: str, source: "dict[str, str] | None") -> bool:
    """Return whether a key may be that of the identity in use, as far as that can be known.

    :param source: a host's settings; None if they are not known.
    """
    try:
        remembered, _, machine = light_json.load_bytes(identity.encode())
        if machine != _machine_name() or not isinstance(remembered, dict) or (source or remembered) != remembered:
            return False
        return identity_key(remembered) == identity
    except Unreadable:
        return True
    except (ValueError, TypeError):
        return False


def _signed_in_accounts(subscription: "str | None") -> "list[Any]":
    """User and tenant of the subscription, else of those in use: one for each cloud that the CLI knows accounts of."""
    profile = _profile_file()
    known = (_read_json(profile) or {}).get("subscriptions") or []
    try:
        return [
            [each.get("environmentName"), each["tenantId"], each["user"]]
            for each in known
            if (each["id"] == subscription if subscription else each.get("isDefault"))
        ]
    except (TypeError, KeyError, AttributeError):
        raise Unreadable(profile) from None


def _profile_file() -> str:
    return os.path.join(config_folder(), "azureProfile.json")


def _machine_name() -> str:
    """The machine: with a home on the network, a managed identity is another one on each."""
    return systems.this_system().machine_name()
