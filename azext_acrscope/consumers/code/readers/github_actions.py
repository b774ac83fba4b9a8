"""Steps of GitHub workflows and composite actions that sign in to a registry, and images that jobs run in."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import YAML, ending_of
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, read_documents
from azext_acrscope.consumers.code.patterns.command_patterns import makes_token
from azext_acrscope.consumers.code.patterns.registry_words import (
    find_login_server,
    is_registry_host,
    seems_registry_name,
)
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.declared_values import Values, in_each_run, walk_with_values
from azext_acrscope.consumers.code.values.local_calls import CALLED
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

ENDINGS = frozenset(YAML)
WORDS = (
    *("docker/login-action", "azure/docker-login", "podman-login", "k8s-create-secret"),
    *("container-apps-deploy-action", "azurecr.", *CALLED),
)
_OWN_WORDS = ("uses", "jobs")  # one of them is in every workflow and action that signs in or pulls
# An action, and the input that names the registry.
_LOGINS = {
    "docker/login-action": "registry",
    "azure/docker-login": "login-server",
    "redhat-actions/podman-login": "registry",
    "azure/k8s-create-secret": "container-registry-url",
}


def reads(name: str) -> bool:
    """Return whether a file is YAML: workflows and actions are in any folder."""
    return ending_of(name) in ENDINGS


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the steps that sign in, and the images of registries that jobs run in."""
    if not any(word in text for word in _OWN_WORDS):
        return
    for root in read_documents(text):
        if isinstance(root, Mapping):
            of_file, jobs = Values.of_file(root), root.get("jobs")
            for part in [below for _, below in jobs.items()] if isinstance(jobs, Mapping) else [root]:
                for node, values in walk_with_values(part, of_file):
                    yield from _read_step(node, values, text)
                    if node is part and part is not root:
                        yield from _read_images(node, values)


def _read_step(step: Mapping, values: Values, text: str) -> Iterator[Place]:
    uses, inputs = step.get("uses"), step.get("with")
    if not (isinstance(uses, Scalar) and isinstance(inputs, Mapping)):
        return
    action = uses.text.partition("@")[0].strip().lower()
    if action == "azure/container-apps-deploy-action" and (acr := inputs.text("acrName")):
        pattern = "container-apps-action" if not inputs.text("acrUsername") else "login-action"
        hosts = [f"{each}.azurecr.io" for each in in_each_run(acr, values)]
    elif action in _LOGINS:
        pattern = "login-action"
        hosts = in_each_run(inputs.text(_LOGINS[action]), values)
        users = in_each_run(inputs.text("username") or inputs.text("container-registry-username"), values)
        if any(TOKEN_USERNAME in user for user in users):
            if makes_token(text):
                return  # what made the token is the sign-in
            pattern = "docker-login-null-user"
    else:
        return
    for host in filter(_is_registry, hosts):
        yield Place(uses.line, pattern, find_login_server(host)).in_one_of(len(hosts))


def _is_registry(host: str) -> bool:
    if "$" not in host:
        return is_registry_host(host)
    return "azurecr." in host or seems_registry_name(host)


def _read_images(job: Mapping, values: Values) -> Iterator[Place]:
    """Yield images of registries in which a job runs, or that run beside it."""
    services = job.get("services")
    listed: list[Node | None] = [node for _, node in services.items()] if isinstance(services, Mapping) else []
    for each in [job.get("container"), *listed]:
        image = each.get("image") if isinstance(each, Mapping) else each
        if isinstance(image, Scalar):
            images = in_each_run(image.text, values)
            for server in filter(is_registry_host, images):
                yield Place(image.line, "job-container", find_login_server(server)).in_one_of(len(images))
