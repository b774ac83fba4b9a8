"""The CLI's packages and its context, without its commands: for what cannot be answered from the cache."""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

EXTENSION_ROOT = str(Path(__file__).parents[3])
PACKAGES_OPTION = "packages"  # the interpreter's -X packages=FOLDER: the launcher's word for where the CLI is


@cache
def add_cli_packages() -> None:
    """Let the CLI's packages and the extension's be imported; the helper starts without them.

    In the CLI's own order, which gives its packages precedence over those that came with the extension
    (azure.cli.core.extension.operations.add_extension_to_path).
    """
    import site

    if not sys.flags.no_site:
        return  # inside `az`, or in a test: all is there
    sys.path.remove(EXTENSION_ROOT)
    options = sys._xoptions  # pylint: disable=protected-access  # its documented name
    if PACKAGES_OPTION in options:  # before the interpreter's own, as PYTHONPATH is
        sys.path.append(str(options[PACKAGES_OPTION]))
    site.main()
    try:
        import azure.cli  # noqa: F401
    except ImportError:
        site.addsitedir(site.getusersitepackages())  # `pip install --user azure-cli`; -I leaves it out
    sys.path.append(EXTENSION_ROOT)
    import azure

    azure.__path__.append(str(Path(EXTENSION_ROOT) / "azure"))


def load_errors() -> ModuleType:
    """Return the errors of this room, once their classes can be imported."""
    add_cli_packages()
    from azext_acrscope.credentials.helper import errors

    return errors


@cache
def cli_context() -> Any:
    """Return the CLI's context: its configuration, cloud and account, as the rooms take it."""
    add_cli_packages()
    from azure.cli.core import get_default_cli

    return get_default_cli()
