"""The command loader of `az acr scope`. Every `az acr` command imports this file, so it imports nothing heavy."""

from typing import Any

from azure.cli.core import AzCommandsLoader

from azext_acrscope import _help  # noqa: F401  # pylint: disable=unused-import  # importing it registers the help texts


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
        return self.command_table

    def load_arguments(self, command: str) -> None:
        """Load the arguments of a command."""
        from azext_acrscope._params import load_arguments

        load_arguments(self, command)
