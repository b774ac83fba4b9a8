"""The CLI in which a command runs."""

from functools import cache
from typing import Any


@cache
def command_context() -> Any:
    """The context of a running command of this extension, without an account."""
    from azure.cli.core.mock import DummyCli

    cli = DummyCli()
    cli.data |= {"command": "acr scope show", "command_extension_name": "acrscope"}
    return cli
