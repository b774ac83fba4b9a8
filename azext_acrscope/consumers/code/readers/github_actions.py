"""Steps of GitHub workflows and composite actions that sign in to a registry, and images that jobs run in."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections import ChainMap
from collections.abc import Iterator

from azext_acrscope.consumers.code.command_patterns import makes_token
from azext_acrscope.consumers.code.declared_values import declared_in, in_each_run
from azext_acrscope.consumers.code.file_names import YAML
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.registry_words import find_login_server, is_registry_host, seems_registry_name
from azext_acrscope.consumers.code.yaml_documents import Mapping, Node, Scalar, Sequence, read_documents, walk
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

_EXPRESSION = re.compile(r"\$\{\{\s*(env|inputs|vars|secrets|matrix)\.([\w-]+)\s*\}\}")
_MAX_LENGTH = 1000  # of a text with variables
WORDS = (
    *("docker/login-action", "azure/docker-login", "podman-login", "k8s-create-secret"),
    *("container-apps-deploy-action", "azurecr."),
)
_Values = ChainMap[str, str | None]  # by `env.NAME` and `inputs.NAME`; None for what is said twice
# An action, and the input that names the registry.
_LOGINS = {
    "docker/login-action": "registry",
    "azure/docker-login": "login-server",
    "redhat-actions/podman-login": "registry",
    "azure/k8s-create-secret": "container-registry-url",
}


def reads(name: str) -> bool:
    """Return whether a file is YAML: workflows and actions are in any folder."""
    return name.endswith(YAML)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the steps that sign in, and the images of registries that jobs run in."""
    for root in read_documents(text):
        if isinstance(root, Mapping):
            of_file = _inputs_and_env(root)
            jobs = root.get("jobs")
            parts = [below for _, below in jobs.items()] if isinstance(jobs, Mapping) else [root]
            for part in parts:
                values, matrix = ChainMap(_env_below(part), of_file), _values_of_matrix(part)
                for node in walk(part):
                    if isinstance(node, Mapping):
                        yield from _read_step(node, values, matrix, text)
                if part is not root:
                    yield from _read_images(part, values, matrix)


def _inputs_and_env(root: Mapping) -> dict[str, str | None]:
    """Return what the defaults of `inputs` and the `env` of a whole file say, by `inputs.NAME` and `env.NAME`."""
    values: dict[str, str | None] = {}
    for inputs in (
        root.get("inputs"),
        root.get("on", "workflow_call", "inputs"),
        root.get("on", "workflow_dispatch", "inputs"),
    ):
        for key, value in inputs.items() if isinstance(inputs, Mapping) else ():
            if isinstance(value, Mapping) and isinstance(default := value.get("default"), Scalar):
                values[f"inputs.{key.text}"] = default.text
    return values | {f"env.{name}": value for name, value in declared_in(root).items()}


def _env_below(part: Node) -> dict[str, str | None]:
    """Return what `env` says anywhere in a job, by `env.NAME`; None for what it says twice."""
    values: dict[str, str | None] = {}
    for node in walk(part):
        for name, text in declared_in(node).items() if isinstance(node, Mapping) else ():
            values[f"env.{name}"] = text if values.get(f"env.{name}", text) == text else None
    return values


def _resolve(text: str, values: _Values) -> str:
    """Return a text with the variables put in that the file itself says."""
    for _ in range(10):  # values that name each other have no end
        put = _EXPRESSION.sub(lambda match: values.get(f"{match[1]}.{match[2]}") or match[0], text[:_MAX_LENGTH])
        if put == text:
            break
        text = put
    else:
        note_cut(TOO_MUCH)
    return text


def _values_of_matrix(job: Node) -> dict[str, list[str]]:
    """Return the values that a job's matrix has in plain letters, by name."""
    matrix = job.get("strategy", "matrix") if isinstance(job, Mapping) else None
    values: dict[str, list[str]] = {}
    for key, listed in matrix.items() if isinstance(matrix, Mapping) else ():
        for each in listed.items if isinstance(listed, Sequence) and key.text != "exclude" else ():
            if isinstance(each, Scalar):
                values.setdefault(key.text, []).append(each.text)
            elif isinstance(each, Mapping) and key.text == "include":
                for name, value in each.items():
                    if isinstance(value, Scalar):
                        values.setdefault(name.text, []).append(value.text)
    return values


def _resolve_all(text: str, values: _Values, matrix: dict[str, list[str]]) -> list[str]:
    """Return what a text is in the runs of a matrix: once, if it names none of its values."""
    return in_each_run(
        _resolve(text, values), _EXPRESSION, lambda name: matrix.get(name[2], []) if name[1] == "matrix" else []
    )


def _read_step(step: Mapping, values: _Values, matrix: dict[str, list[str]], text: str) -> Iterator[Place]:
    uses, inputs = step.get("uses"), step.get("with")
    if not (isinstance(uses, Scalar) and isinstance(inputs, Mapping)):
        return
    action = uses.text.partition("@")[0].strip().lower()
    if action == "azure/container-apps-deploy-action" and (acr := inputs.text("acrName")):
        pattern = "container-apps-action" if not inputs.text("acrUsername") else "login-action"
        for resolved in _resolve_all(acr, values, matrix):
            yield Place(uses.line, pattern, find_login_server(f"{resolved}.azurecr.io"))
    for host in _resolve_all(inputs.text(_LOGINS[action]), values, matrix) if action in _LOGINS else ():
        if not _is_registry(host):
            continue
        user = _resolve(inputs.text("username") or inputs.text("container-registry-username"), values)
        if TOKEN_USERNAME in user:
            if makes_token(text):
                return  # what made the token is the sign-in
            yield Place(uses.line, "docker-login-null-user", find_login_server(host))
        else:
            yield Place(uses.line, "login-action", find_login_server(host))


def _is_registry(host: str) -> bool:
    if "$" not in host:
        return is_registry_host(host)
    return "azurecr." in host or seems_registry_name(host)


def _read_images(job: Node, values: _Values, matrix: dict[str, list[str]]) -> Iterator[Place]:
    """Yield images of registries in which a job runs, or that run beside it."""
    if not isinstance(job, Mapping):
        return
    services = job.get("services")
    for each in [
        job.get("container"),
        *([node for _, node in services.items()] if isinstance(services, Mapping) else []),
    ]:
        image = each.get("image") if isinstance(each, Mapping) else each
        if not isinstance(image, Scalar):
            continue
        for server in _resolve_all(image.text, values, matrix):
            if is_registry_host(server):
                yield Place(image.line, "job-container", find_login_server(server))
