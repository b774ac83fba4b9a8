"""The readers, one for each kind of file: who adds a module to ``readers`` adds it to `READERS` here."""

from collections.abc import Iterable
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
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
    yaml_scripts,
)


class Reader(Protocol):
    """What a module of ``readers`` offers. Both functions are pure, and take any text whatever."""

    def reads(self, name: str, text: str) -> bool:
        """Return whether a file is one of this reader's.

        :param name: the file's path in its repository, or in the folder that was given, with `/`.
        """

    def read_places(self, text: str, name: str) -> Iterable[Place]:
        """Return what the file does with registries."""


READERS: tuple[Reader, ...] = (
    arm_templates,
    azure_pipelines,
    bicep,
    commands,
    container_files,
    docker_configuration,
    github_actions,
    kubernetes,
    packages,
    pulumi,
    sdk_clients,
    terraform,
    yaml_scripts,
)
