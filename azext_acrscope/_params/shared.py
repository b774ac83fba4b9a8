"""Parts that the arguments of several commands share."""

import argparse
from typing import Any

STATUSES = ["disabled", "enabled"]


class CollectValues(argparse.Action):
    """Collect the values of an option, however often it is given; they replace the configured default.

    If the option has choices, they match in any case, as everywhere in the CLI.
    """

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option: str | None = None) -> None:
        if self.choices:
            values = [next(each for each in self.choices if each.lower() == value.lower()) for value in values]
        before = getattr(namespace, self.dest, None)
        setattr(namespace, self.dest, [*(before if isinstance(before, list) else []), *values])


def source_folders() -> Any:
    """Return the argument that names folders of code."""
    from knack.arguments import CLIArgumentType

    from azext_acrscope._validators import validate_source

    return CLIArgumentType(
        options_list=["--source"],
        nargs="+",
        action=CollectValues,
        help="Also search these folders or files of code: pipelines, templates, manifests, scripts, lock files. `-` "
        "reads manifests that are piped into the command. Nothing in them is run, and no line of them is shown.",
        validator=validate_source,
    )


def several_registries(default: str = "") -> Any:
    """Return the argument that names several registries.

    :param default: a sentence on the default of the CLI's configuration.
    """
    from knack.arguments import CLIArgumentType

    return CLIArgumentType(
        options_list=["--name", "-n", "--registry", "-r"],
        nargs="+",
        action=CollectValues,
        help="The registries, each by its name, its login server, or its resource ID. "
        f"`az config set defaults.acr=NAME` sets a default. {default}".rstrip(),
        configured_default="acr",
    )
