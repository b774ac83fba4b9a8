"""The readers, one for each kind of file: who adds a module to ``readers`` adds it to `READERS` here."""

from collections.abc import Collection, Iterable
from typing import Protocol

from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.readers import (
    arm_templates,
    azure_pipelines,
    bicep,
    commands,
    container_files,
    docker_configuration,
    github_actions,
    heredocs,
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
    yaml_scripts,
)


class Reader(Protocol):
    """What a module of ``readers`` offers. Both functions are pure, and take any text whatever."""

    @property
    def WORDS(self) -> Collection[str]:  # noqa: N802  # pylint: disable=invalid-name  # a constant of a module
        """Return words in lower-case ASCII; at least one is in every file in which the reader finds anything.

        Spaces are as people and programs write them: one after a colon.
        """

    @property
    def ENDINGS(self) -> frozenset[str] | None:  # noqa: N802  # pylint: disable=invalid-name  # a constant of a module
        """Return the endings of its files (`file_names.ending_of`); None if more of a name counts than its ending."""

    def reads(self, name: str) -> bool:
        """Return whether a file may be one of this reader's.

        :param name: the file's path in lower case, with `/`.
        """

    def read_places(self, text: str, name: str) -> Iterable[Place]:
        """Return what the file does with registries; nothing if its text shows that it is none of this reader's.

        What it cannot read of a file of its own it tells with `limits.note_cut`.

        :param name: the file's path in its repository, or in the folder that was given, with `/`.
        """


READERS: tuple[Reader, ...] = (
    arm_templates,
    azure_pipelines,
    bicep,
    commands,
    container_files,
    docker_configuration,
    github_actions,
    heredocs,
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
    yaml_scripts,
)
