"""Tasks and containers of Azure Pipelines and their templates."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Callable, Iterator

from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers.code.file_names import YAML, ending_of
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar, read_documents
from azext_acrscope.consumers.code.patterns.registry_words import (
    OPEN_MACRO,
    find_login_server,
    is_registry_host,
    named_login_server,
)
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.declared_values import Values, in_each_run, walk_with_values

# A step may name its task by `id` of Tasks/*/task.json: microsoft/azure-pipelines-tasks at 299572e2, read 2026-11-28.
_TASK_IDS = {
    "e28912f1-0114-4464-802a-a3a35437fd16": "docker",
    "6975e2d1-96d3-4afc-8a41-498b5d34ea19": "dockercompose",
    "afa7d54d-537b-4dc8-b60a-e0eeea2c9a87": "helmdeploy",
    "dee316a2-586f-4def-be79-488a1f503dfe": "kubernetesmanifest",
    "cbc316a2-586f-4def-be79-488a1f503564": "kubernetes",
    "80f3f6a0-82a6-4a22-ba7a-e5b8c541b9b8": "azureiotedge",
    "cad8dd6a-de28-4d89-a7db-1bc20a2fbb2d": "azurecontainerapps",
}
_TASK = re.compile(r"([\w-]+)@(\d+)")
_TASKS = re.compile(rf"(?:{'|'.join([*_TASK_IDS.values(), *_TASK_IDS])})@\d", re.IGNORECASE)
_IS_PIPELINE = re.compile(r"\b(?:task|pool|vmImage|containers?)\s*:")
_CONTAINERS = re.compile(r"\bcontainer\s*:")
_REGISTRY = re.compile(r"azurecr\.|type\s*:\s*[\"']?acr\b|endpoint\s*:|-\s+group\s*:", re.IGNORECASE)
_OPEN_HOST = re.compile(f"{OPEN_MACRO}/", re.IGNORECASE | re.ASCII)
_OTHER_REGISTRY = re.compile(r"docker[ _-]?hub|ghcr|quay|gcr\.io|artifactory|nexus", re.IGNORECASE)
_BY_SUBSCRIPTION = {"helmdeploy": "helmdeploy-task", "kubernetes": "kubernetes-task", "azureiotedge": "iotedge-task"}
_CONNECTIONS = (
    "containerregistry",
    "dockerregistryendpoint",
    "dockerregistryconnection",
    "dockerregistryserviceconnection",
)
_SUBSCRIPTIONS = (
    "azuresubscription",
    "azuresubscriptionendpoint",
    "azuresubscriptionforacr",
    "azuresubscriptionendpointforacr",
) + ("azuresubscriptionendpointforsecrets", "azuresubscriptionforsecrets")


ENDINGS = frozenset(YAML)
WORDS = (
    *(f"{task}@" for task in (*_TASK_IDS.values(), *_TASK_IDS)),
    *("azurecr.", "type: acr", "type: 'acr", 'type: "acr', "endpoint:", "- group:"),
)


def reads(name: str) -> bool:
    """Return whether a file is YAML."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield tasks that sign in with a service connection, and containers that the agent pulls."""
    if not (_TASKS.search(text) or (_CONTAINERS.search(text) and _REGISTRY.search(text))):
        return
    is_pipeline = bool(_IS_PIPELINE.search(text))
    for root in read_documents(text):
        for node, values in walk_with_values(root, Values.of_file(root)):
            if isinstance(task := node.get("task"), Scalar) and (match := _TASK.match(task.text.strip())):
                name_or_id = match[1].lower()
                called = _TASK_IDS.get(name_or_id, name_or_id)
                yield from _read_task(task, called, int(match[2][:3]), _inputs(node), values, text)
            elif is_pipeline and isinstance(container := node.get("container"), Scalar) and node.get("steps") is None:
                yield from _read_container(node, container, values)
            job = node.get("container") if is_pipeline else None
            if isinstance(job, Mapping) and job.text("endpoint") and isinstance(image := job.get("image"), Scalar):
                names = in_each_run(image.text, values)
                yield from _places(image.line, "agent-container", names, find_login_server, values)


def _places(  # pylint: disable=too-many-positional-arguments
    line: int, pattern: str, names: list[str], server_of: Callable[[str], str | None], values: Values
) -> Iterator[Place]:
    """Yield what is pulled, or signed in to, in each run."""
    for registry in map(server_of, names):
        yield Place(line, pattern, registry).in_one_of(len(names)).with_group(values.in_group)


def _inputs(step: Mapping) -> dict[str, str]:
    inputs = step.get("inputs")
    entries = inputs.items() if isinstance(inputs, Mapping) else ()
    return {key.text.lower(): node.text for key, node in entries if isinstance(node, Scalar)}


def _read_task(  # pylint: disable=too-many-positional-arguments
    task: Scalar, name: str, major: int, inputs: dict[str, str], values: Values, text: str
) -> Iterator[Place]:
    if name == "azurecontainerapps" and (acr := inputs.get("acrname")):
        pattern = "containerapps-task-password" if inputs.get("acrusername") else "containerapps-task"
    elif found := _pattern_of(name, major, inputs):
        pattern, acr = found, inputs.get("azurecontainerregistry", "")
    else:
        return
    yield from _places(task.line, pattern, in_each_run(acr, values), lambda each: _registry_of(each, text), values)


def _pattern_of(name: str, major: int, inputs: dict[str, str]) -> str | None:
    """Return the pattern of a task that signs in with a service connection."""
    by_subscription = any(inputs.get(each) for each in _SUBSCRIPTIONS) and bool(inputs.get("azurecontainerregistry"))
    if name in _BY_SUBSCRIPTION:
        return _BY_SUBSCRIPTION[name] if by_subscription else None
    connection = next((inputs[each] for each in _CONNECTIONS if inputs.get(each)), "")
    has_connection = bool(connection) and not _OTHER_REGISTRY.search(connection)
    if name in ("docker", "dockercompose"):
        if inputs.get("command", "").lower() in ("logout", "start", "stop"):
            return None
        is_azure = inputs.get("containerregistrytype", "").lower().startswith("azure")
        named = f"{name}-task" if has_connection and not (major < 2 and is_azure) else None
        return f"{name}-task-subscription" if by_subscription else named
    makes_secret = name == "kubernetesmanifest" and inputs.get("action", "").lower() == "createsecret"
    is_docker = inputs.get("secrettype", "dockerregistry").lower() == "dockerregistry"
    return "kubernetesmanifest-task" if makes_secret and is_docker and has_connection else None


def _registry_of(named: str, text: str) -> str | None:
    """Return the login server of a registry by its name, its resource ID or the JSON that the editor writes."""
    found = re.search(r'"loginServer"\s*:\s*"([^"]{1,200})"', named)
    return named_login_server(name_in_id(found[1] if found else named), text) if named else None


def _read_container(resource: Mapping, container: Scalar, values: Values) -> Iterator[Place]:
    """Read an entry of `resources.containers`."""
    if resource.text("type").lower() == "acr":
        names = in_each_run(resource.text("registry"), values)
        yield from _places(container.line, "agent-container-acr", names, named_login_server, values)
        return
    image, endpoint = resource.get("image"), resource.text("endpoint")
    if isinstance(image, Scalar) and not _OTHER_REGISTRY.search(endpoint):
        in_group = values.in_group
        names = in_each_run(image.text, values)
        names = [each for each in names if endpoint or is_registry_host(each) or (in_group and _OPEN_HOST.match(each))]
        yield from _places(image.line, "agent-container", names, find_login_server, values)
