"""Images that builds and developers pull: Dockerfile, Compose, dev containers, Skaffold, GitLab CI; and azure.yaml."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Collection, Iterator

from azext_acrscope.consumers.code.file_names import YAML, ending_of, is_dockerfile
from azext_acrscope.consumers.code.languages.json_documents import read_nodes
from azext_acrscope.consumers.code.languages.yaml_documents import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)
from azext_acrscope.consumers.code.patterns.registry_words import find_login_server, is_registry_host
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.declared_values import Values, in_each_run, with_headers
from azext_acrscope.consumers.code.values.gitlab_jobs import read_jobs

_COMPOSE = re.compile(r"(?:^|/)(?:[\w.-]*compose[\w.-]*|docker-stack[\w.-]*)\.ya?ml$", re.IGNORECASE)
_DEVCONTAINER = re.compile(r"(?:^|/)\.?devcontainer(?:-template|-feature)?\.json$", re.IGNORECASE)
_SKAFFOLD = re.compile(r"(?:^|/)skaffold[\w.-]*\.ya?ml$", re.IGNORECASE)
_GITLAB = re.compile(r"(?:^|/)[\w.-]*gitlab-ci[\w.-]*\.ya?ml$|(?:^|/)\.gitlab(?:-ci)?/.*\.ya?ml$", re.IGNORECASE)
_AZD = re.compile(r"(?:^|/)azure\.ya?ml$", re.IGNORECASE)
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.IGNORECASE | re.MULTILINE)
_ARGUMENT = re.compile(r"^[ \t]*ARG[ \t]+(\w+)=[\"']?([^\s\"']+)", re.IGNORECASE | re.MULTILINE)
_GITLAB_IMAGES = ("image", "name", "services")
_AZD_CONTAINER_HOSTS = frozenset(("containerapp", "aks", "containerapp-job", "azure.ai.agent"))


_ENDINGS = frozenset((*YAML, ".json"))
_PARTS_OF_NAMES = ("compose", "docker-stack", "devcontainer", "skaffold", "gitlab", "azure.y")
ENDINGS = None
WORDS = ("azurecr.", "containerapp", "azure.ai.agent", "host: aks", 'host: "aks', "host: 'aks")


def reads(name: str) -> bool:
    """Return whether a file is one of those that the module names."""
    if ending_of(name) not in _ENDINGS:
        return is_dockerfile(name)
    if not any(word in name for word in _PARTS_OF_NAMES):
        return False  # most are something else, and regular expressions are slower
    return any(each.search(name) for each in (_COMPOSE, _DEVCONTAINER, _SKAFFOLD, _GITLAB, _AZD))


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield what is pulled from a registry, or pushed to one."""
    if is_dockerfile(name):
        yield from _read_dockerfile(text)
        return
    for root, header in with_headers(read_nodes(text, name)):
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
            yield from _read_gitlab(root, header)


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


def _read_gitlab(root: Node, header: Node | None) -> Iterator[Place]:
    """Yield the images of jobs, with the values of the jobs that run in them."""
    values, jobs = read_jobs(root, header)
    for name, job in root.entries if isinstance(root, Mapping) else ():
        waiting: list[tuple[Node, str, list[Values]]] = [(job, name.text if name is not None else "", [])]
        seen: set[int] = set()
        while waiting:
            node, key, scopes = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Scalar) and key not in _GITLAB_IMAGES:
                continue
            scopes = [run.values for run in jobs.runs_of(node)] or scopes
            if isinstance(node, Scalar):
                # Most are of a job: what holds where it is written is found out only for the others.
                here = values.inside(job) if not scopes and isinstance(job, Mapping) else values
                yield from _places_of(node, "gitlab-image", scopes or [here])
            elif isinstance(node, Sequence):
                waiting += [(below, key, scopes) for below in reversed(node.items)]
            elif isinstance(node, Mapping):
                entries = ((below, each.text if each is not None else "") for each, below in reversed(node.entries))
                waiting += [(below, each, scopes) for below, each in entries]


def _read_images(root: Node, pattern: str, keys: tuple[str, ...]) -> Iterator[Place]:
    for node in walk(root):
        for key, below in node.entries if isinstance(node, Mapping) else ():
            if key is not None and key.text in keys:
                for each in below.items if isinstance(below, Sequence) else [below]:
                    yield from _places_of(each, pattern) if isinstance(each, Scalar) else ()


def _places_of(image: Scalar, pattern: str, scopes: Collection[Values] = ()) -> Iterator[Place]:
    """Yield the registries of an image with each value of its variables; of those that nobody knows with defaults."""
    images = in_each_run(image.text, *scopes) if scopes else [image.text]
    for server in filter(is_registry_host, dict.fromkeys(map(_default_of, images))):
        yield Place(image.line, pattern, find_login_server(server)).in_one_of(len(images))


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
