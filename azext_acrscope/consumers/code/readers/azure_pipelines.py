"""Tasks and containers of Azure Pipelines and their templates."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections import ChainMap
from collections.abc import Iterator

from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers.code.declared_values import declared_in, in_each_run
from azext_acrscope.consumers.code.file_names import YAML
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.registry_words import find_login_server, is_registry_host, named_login_server
from azext_acrscope.consumers.code.yaml_documents import Mapping, Scalar, read_documents, walk

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
_VARIABLE = re.compile(r"\$\[\s*variables(?:\['(\w+)'\]|\.(\w+))\s*\]|\$\{\{\s*variables\.(\w+)\s*\}\}|\$\((\w+)\)")
_CONTAINERS = re.compile(r"\bcontainer\s*:")
_REGISTRY = re.compile(r"azurecr\.|type\s*:\s*[\"']?acr\b|endpoint\s*:", re.IGNORECASE)
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


WORDS = (
    *(f"{task}@" for task in (*_TASK_IDS.values(), *_TASK_IDS)),
    *("azurecr.", "type: acr", "type: 'acr", 'type: "acr', "endpoint:"),
)


def reads(name: str) -> bool:
    """Return whether a file is YAML."""
    return name.endswith(YAML)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield tasks that sign in with a service connection, and containers that the agent pulls."""
    if not (_TASKS.search(text) or (_CONTAINERS.search(text) and _REGISTRY.search(text))):
        return
    is_pipeline = bool(re.search(r"\b(?:task|pool|vmImage|containers?)\s*:", text))
    for root in read_documents(text):
        declared = declared_in(root) if isinstance(root, Mapping) else {}
        for node in walk(root):
            if not isinstance(node, Mapping):
                continue
            if isinstance(task := node.get("task"), Scalar) and (match := _TASK.match(task.text.strip())):
                name_or_id = match[1].lower()
                called = _TASK_IDS.get(name_or_id, name_or_id)
                yield from _read_task(task, called, int(match[2][:3]), _inputs(node), text)
            elif is_pipeline and isinstance(container := node.get("container"), Scalar) and node.get("steps") is None:
                yield from _read_container(node, container)
            job = node.get("container") if is_pipeline else None
            if isinstance(job, Mapping) and job.text("endpoint") and isinstance(image := job.get("image"), Scalar):
                for each in _images_of(image.text, node, declared):
                    yield Place(image.line, "agent-container", find_login_server(each))


def _images_of(image: str, job: Mapping, of_file: dict[str, str]) -> list[str]:
    """Return what the image of a job's container is: with each value of the variables that it may be."""
    matrix = job.get("strategy", "matrix")
    runs = [run for _, run in matrix.items() if isinstance(run, Mapping)] if isinstance(matrix, Mapping) else []
    declared = ChainMap(declared_in(job), of_file)

    def values_of(match: re.Match[str]) -> list[str]:
        name = match[match.lastindex or 0]
        return [run.text(name) for run in runs if run.text(name)] or [declared.get(name, match[0])]

    return in_each_run(image, _VARIABLE, values_of)


def _inputs(step: Mapping) -> dict[str, str]:
    inputs = step.get("inputs")
    entries = inputs.items() if isinstance(inputs, Mapping) else ()
    return {key.text.lower(): node.text for key, node in entries if isinstance(node, Scalar)}


def _read_task(task: Scalar, name: str, major: int, inputs: dict[str, str], text: str) -> Iterator[Place]:
    if name == "azurecontainerapps" and (acr := inputs.get("acrname")):
        pattern = "containerapps-task-password" if inputs.get("acrusername") else "containerapps-task"
        yield Place(task.line, pattern, named_login_server(acr, text))
    elif found := _pattern_of(name, major, inputs):
        yield Place(task.line, found, _registry_of(inputs, text))


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


def _registry_of(inputs: dict[str, str], text: str) -> str | None:
    named = inputs.get("azurecontainerregistry", "")
    if found := re.search(r'"loginServer"\s*:\s*"([^"]{1,200})"', named):
        named = found[1]
    return named_login_server(name_in_id(named), text) if named else None


def _read_container(resource: Mapping, container: Scalar) -> Iterator[Place]:
    """Read an entry of `resources.containers`."""
    if resource.text("type").lower() == "acr":
        yield Place(container.line, "agent-container-acr", named_login_server(resource.text("registry")))
        return
    image, endpoint = resource.get("image"), resource.text("endpoint")
    if (
        isinstance(image, Scalar)
        and (endpoint or is_registry_host(image.text))
        and not _OTHER_REGISTRY.search(endpoint)
    ):
        yield Place(image.line, "agent-container", find_login_server(image.text))
