"""Images that builds and developers pull: Dockerfile, Compose, dev containers, Skaffold, GitLab CI; and azure.yaml."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections import ChainMap
from collections.abc import Iterator

from azext_acrscope.consumers.code.declared_values import in_each_run
from azext_acrscope.consumers.code.file_names import YAML, is_dockerfile
from azext_acrscope.consumers.code.json_documents import read_nodes
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.registry_words import find_login_server, is_registry_host
from azext_acrscope.consumers.code.yaml_documents import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)

_COMPOSE = re.compile(r"(?:^|/)(?:[\w.-]*compose[\w.-]*|docker-stack[\w.-]*)\.ya?ml$", re.IGNORECASE)
_DEVCONTAINER = re.compile(r"(?:^|/)\.?devcontainer(?:-template|-feature)?\.json$", re.IGNORECASE)
_SKAFFOLD = re.compile(r"(?:^|/)skaffold[\w.-]*\.ya?ml$", re.IGNORECASE)
_GITLAB = re.compile(r"(?:^|/)[\w.-]*gitlab-ci[\w.-]*\.ya?ml$|(?:^|/)\.gitlab(?:-ci)?/.*\.ya?ml$", re.IGNORECASE)
_AZD = re.compile(r"(?:^|/)azure\.ya?ml$", re.IGNORECASE)
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(r"^[ \t]*ARG[ \t]+(\w+)=[\"']?([^\s\"']+)", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_AZD_CONTAINER_HOSTS = frozenset(("containerapp", "aks", "containerapp-job", "azure.ai.agent"))


_ENDINGS = (*YAML, ".json")
_PARTS_OF_NAMES = ("compose", "docker-stack", "devcontainer", "skaffold", "gitlab", "azure.y")
WORDS = ("azurecr.", "containerapp", "azure.ai.agent", "host: aks", 'host: "aks', "host: 'aks")


def reads(name: str) -> bool:
    """Return whether a file is one of those that the module names."""
    if not name.endswith(_ENDINGS):
        return is_dockerfile(name)
    if not any(word in name for word in _PARTS_OF_NAMES):
        return False  # most are something else, and regular expressions are slower
    return any(each.search(name) for each in (_COMPOSE, _DEVCONTAINER, _SKAFFOLD, _GITLAB, _AZD))


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield what is pulled from a registry, or pushed to one."""
    if is_dockerfile(name):
        yield from _read_dockerfile(text)
        return
    for root in read_nodes(text, name):
        if _AZD.search(name):
            yield from _read_azd(root)
        elif _COMPOSE.search(name):
            yield from _read_images(root, "compose-image", ("image", "cache_from"))
        elif _DEVCONTAINER.search(name):
            yield from _read_images(root, "devcontainer-image", ("image", "build"))
        elif _SKAFFOLD.search(name):
            yield from _read_images(
                root, "skaffold-image", ("image", "defaultRepo", "chartPath", "remoteChart", "repo")
            )
        else:
            yield from _read_gitlab(root)


def _read_dockerfile(text: str) -> Iterator[Place]:
    arguments = {match[1]: match[2] for match in _ARGUMENT.finditer(text)}
    line, position = 1, 0
    for match in _FROM.finditer(text):
        image = re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", lambda found: _argument(found, arguments), match[1][:500])
        if is_registry_host(image):
            line, position = line + text.count("\n", position, match.start(1)), match.start(1)
            yield Place(line, "dockerfile-from", find_login_server(image))


def _argument(found: re.Match[str], arguments: dict[str, str]) -> str:
    return arguments.get(found[1]) or found[2] or found[0]


def _read_gitlab(root: Node) -> Iterator[Place]:
    shared = _gitlab_variables(root)
    for key, job in root.entries if isinstance(root, Mapping) else ():
        values = ChainMap(_gitlab_variables(job), shared)
        yield from _read_images(Mapping(root.line, [(key, job)]), "gitlab-image", ("image", "name", "services"), values)


def _gitlab_variables(node: Node) -> dict[str, list[str]]:
    """Return what variables and the matrix of a job say, or the variables of a whole file, by name."""
    values: dict[str, list[str]] = {}
    variables = node.get("variables") if isinstance(node, Mapping) else None
    matrix = node.get("parallel", "matrix") if isinstance(node, Mapping) else None
    runs = [each for each in matrix.items if isinstance(each, Mapping)] if isinstance(matrix, Sequence) else []
    for key, value in variables.items() if isinstance(variables, Mapping) else ():
        said = value.get("value") if isinstance(value, Mapping) else value
        values[key.text] = [said.text] if isinstance(said, Scalar) else []
    of_matrix: dict[str, list[str]] = {}
    for key, value in (entry for run in runs for entry in run.items()):
        listed = value.items if isinstance(value, Sequence) else [value]
        of_matrix.setdefault(key.text, []).extend(each.text for each in listed if isinstance(each, Scalar))
    return {**values, **of_matrix}


def _read_images(
    root: Node, pattern: str, keys: tuple[str, ...], values: ChainMap[str, list[str]] | None = None
) -> Iterator[Place]:
    for node in walk(root):
        for key, below in node.entries if isinstance(node, Mapping) else ():
            if key is None or key.text not in keys:
                continue
            for each in below.items if isinstance(below, Sequence) else [below]:
                for image in _images_of(each.text, values or ChainMap()) if isinstance(each, Scalar) else ():
                    if is_registry_host(image):
                        yield Place(each.line, pattern, find_login_server(image))


def _images_of(image: str, values: ChainMap[str, list[str]]) -> list[str]:
    """Return what an image is with each value of its variables; of variables that nobody knows with their defaults."""
    images = in_each_run(image, _VARIABLE, lambda name: values.get(name[1] or name[2], []))
    return list(dict.fromkeys(map(_default_of, images)))


def _default_of(image: str) -> str:
    """Return an image with the defaults of its variables: `${REGISTRY:-contoso.azurecr.io}/app`."""
    return re.sub(r"\$\{\w+:?-([^}$]{0,200})\}", r"\1", image)


def _read_azd(root: Node) -> Iterator[Place]:
    services = root.get("services") if isinstance(root, Mapping) else None
    for key, service in services.items() if isinstance(services, Mapping) else ():
        if not isinstance(service, Mapping) or service.text("host").lower() not in _AZD_CONTAINER_HOSTS:
            continue
        image = service.text("image")
        if image and not is_registry_host(image) and "$" not in image and not service.text("project"):
            continue  # somebody else's image: nothing is pushed
        remote = service.text("docker", "remoteBuild").lower() == "true"
        server = find_login_server(service.text("docker", "registry"))
        yield Place(key.line, "azd-remote-build" if remote else "azd-service", server)
