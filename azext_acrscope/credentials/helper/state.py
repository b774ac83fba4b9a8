"""What the helper goes by: its settings, and who is signed in. Read on each `get`, so the standard library alone."""

import json
import os
import sys

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from typing import Any

DEFAULT_SOURCE = {"credential": "cli"}  # where nothing else is said for a host: as the account of the CLI
# What picks the identity for those credentials that read it from the environment, besides what the settings say.
_IDENTITY_VARIABLES = [
    f"{prefix}_{name}" for prefix in ("AZURE", "AZURESUBSCRIPTION") for name in ("CLIENT_ID", "TENANT_ID")
]


def config_folder() -> str:
    """The CLI's configuration directory, by the CLI's rule."""
    return os.path.expanduser(os.environ.get("AZURE_CONFIG_DIR") or os.path.join("~", ".azure"))


def helper_folder() -> str:
    """The helper's own folder in it."""
    return os.path.join(config_folder(), "acrscope")


def settings_file() -> str:
    return os.path.join(helper_folder(), "helper.json")


def read_settings() -> "dict[str, dict[str, str]]":
    """The hosts that `configure-docker` set up, each with `credential` and, where given, `client_id`, `tenant` and
    `subscription`.

    :raises FileOperationError: there are settings, but they cannot be read: the wrong identity may be theirs.
    """
    try:
        with open(settings_file(), "rb") as file:
            hosts = json.load(file)["hosts"]
        return {str(host): dict(source) for host, source in hosts.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        from azext_acrscope.credentials.helper import cli

        raise cli.load_errors().helper_settings_unreadable(settings_file()) from None


def identity_key(source: "dict[str, str]") -> "str | None":
    """A name for who tokens are asked for as; another one as soon as somebody else signs in. None: nobody is signed in.

    :param source: a host's settings.
    """
    if source.get("credential", "cli") == "cli":
        who: Any = _signed_in_accounts(source.get("subscription"))
        if not who:
            return None
    else:
        who = [os.environ.get(name) for name in _IDENTITY_VARIABLES]
    return json.dumps([source, who, _machine_name()], sort_keys=True)


def _signed_in_accounts(subscription: "str | None") -> "list[Any]":
    """User and tenant of the subscription, else of those in use: one for each cloud that the CLI knows accounts of."""
    try:
        with open(os.path.join(config_folder(), "azureProfile.json"), "rb") as file:
            known = json.loads(file.read())["subscriptions"]
        return [
            [each.get("environmentName"), each["tenantId"], each["user"]]
            for each in known
            if (each["id"] == subscription if subscription else each.get("isDefault"))
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _machine_name() -> str:
    """The machine: with a home on the network, a managed identity is another one on each."""
    return os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename
