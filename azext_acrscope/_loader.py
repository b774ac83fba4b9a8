"""The command loader of `az acr scope`. Every `az acr` command imports this file, so it imports nothing heavy."""

from typing import Any

from azure.cli.core import AzCommandsLoader

from azext_acrscope import _help  # noqa: F401  # pylint: disable=unused-import  # importing it registers the help texts

_GARBAGE_PORTION = 50_000  # objects; a command over one registry makes fewer in all, most of them while it imports


class AcrScopeCommandsLoader(AzCommandsLoader):
    """Adds the group `acr scope` to the CLI's own `acr` commands."""

    # By this name the CLI's command index finds the extension again: the package's, which keeps the loader elsewhere.
    __module__ = "azext_acrscope"

    def __init__(self, cli_ctx: Any = None) -> None:
        from azure.cli.core.commands import CliCommandType

        custom = CliCommandType(operations_tmpl="azext_acrscope.custom#{}")
        super().__init__(cli_ctx=cli_ctx, custom_command_type=custom)

    def load_command_table(self, args: list[str]) -> Any:
        """Load the commands."""
        from azext_acrscope.commands import load_command_table

        load_command_table(self, args)
        if args and args[:2] == ["acr", "scope"]:
            _spare_garbage_collector()
            from knack.events import EVENT_INVOKER_POST_PARSE_ARGS

            self.cli_ctx.register_event(EVENT_INVOKER_POST_PARSE_ARGS, _repair_helper)
        return self.command_table

    def load_arguments(self, command: str) -> None:
        """Load the arguments of a command."""
        from azext_acrscope._params import load_arguments

        load_arguments(self, command)


def _spare_garbage_collector() -> None:
    """Keep Python from looking for garbage among all that the CLI has loaded, now and at its end: 100 ms, for nothing.

    It still collects what a command leaves, in larger portions than a program of a few objects needs. Once in a
    process: in one that runs many commands, the next time would spare what the last one left, with its connections.
    """
    import atexit
    import gc

    if gc.get_threshold()[0] == _GARBAGE_PORTION:
        return  # `gc.get_freeze_count` would walk through all that is spared, which takes 20 ms
    gc.freeze()
    gc.set_threshold(_GARBAGE_PORTION)
    atexit.register(gc.freeze)


def _repair_helper(_: Any, **__: Any) -> None:
    """Let the credential helper find a CLI that has moved; before the command, whose container client may call it."""
    import os

    from azext_acrscope.credentials.helper import state

    if os.path.exists(state.settings_file()):
        from azext_acrscope.base import console
        from azext_acrscope.credentials.helper import errors, launcher

        if program := launcher.repair_launcher():
            console.tell([errors.launcher_repaired(str(program))])
