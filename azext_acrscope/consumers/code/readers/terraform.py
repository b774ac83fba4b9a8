"""Terraform and OpenTofu: resources of azurerm and azapi, arguments of modules, charts and images of clusters."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Callable, Iterator

from azext_acrscope.consumers.code.file_names import ending_of
from azext_acrscope.consumers.code.languages.brackets import read_brackets
from azext_acrscope.consumers.code.languages.expressions import (
    AnyNode,
    Block,
    Expression,
    entries_of,
    find_entries,
    find_entry,
    find_node,
    fold_key,
    is_false,
    is_set,
    is_true,
    mappings_in,
    plain_text,
    walk_all,
)
from azext_acrscope.consumers.code.languages.terraform_json import JSON_ENDINGS, read_blocks
from azext_acrscope.consumers.code.languages.tokens import HCL, JSON
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Scalar
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.patterns.azure_resources import (
    MAX_NAMES,
    RESOURCE_WORDS,
    Resolver,
    judge_anywhere,
    judge_each,
    judge_resource,
    resolve_plain,
)
from azext_acrscope.consumers.code.patterns.registry_names import VARIABLE, Server, read_server
from azext_acrscope.consumers.code.patterns.registry_words import named_login_server
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.values.terraform_dynamic import expand_dynamic

_STATUS = "azureadauthenticationasarmpolicyenabled"
_SITE_SWITCHES = ("containerregistryusemanagedidentity", "acrusemanagedidentitycredentials")
_ADMIN = re.compile(r"(?:azurerm_container_registry\.[\w.-]+|registry|acr)[\w.\[\]-]*\.admin_password\b", re.IGNORECASE)
_REFERENCE = re.compile(r"(local|var)\.([\w-]+)")


ENDINGS = None
WORDS = (
    *RESOURCE_WORDS,
    *("azurerm_container_app", "azurerm_container_group", "azurerm_container_registry"),
    *("azurerm_machine_learning_workspace", "acr_use_managed_identity", "container_registry_use_managed_identity"),
    *("docker_registry_password", "docker_registry_server_password", "registry_password", "registry_credential"),
    *("container_registries", "registries", "bootstrap_profile", "listcredentials", "admin_password", "azurecr."),
    *("registry_auth", "authentication_as_arm_policy"),
)


def reads(name: str) -> bool:
    """Return whether a file is Terraform's: not its tests, whose assertions set nothing."""
    return ending_of(name) in (".tf", ".tofu") or name.endswith(JSON_ENDINGS)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield resources that pull, and what sets the status of a registry back."""
    if name.lower().endswith(JSON_ENDINGS):
        blocks = list(read_blocks(text))
    else:
        blocks = [(key, node) for key, node in entries_of(read_brackets(text, HCL)) if isinstance(node, Block)]
    resolve = _make_resolver(blocks)
    if "dynamic" in text:
        blocks = [(key, expand_dynamic(block, resolve)) for key, block in blocks]
    for key, block in blocks:
        if key.text == "resource" and len(block.labels) == 2:
            places = list(_read_resource(block.labels[0], block, key.line, resolve))
        elif key.text == "module":
            places = list(_read_module(block, resolve))
        elif key.text == "provider" and block.labels == ["helm"]:
            places = list(_read_helm_provider(block, resolve))
        elif key.text == "provider" and block.labels == ["docker"]:
            places = list(_read_docker_provider(block, resolve))
        else:
            continue
        yield from places
        if not any(place.pattern.endswith("-password") for place in places):
            yield from _read_admin_user(block)


def _make_resolver(blocks: list[tuple[Scalar, Block]]) -> Resolver:
    local = {key.text: node for name, block in blocks if name.text == "locals" for key, node in entries_of(block)}
    variables = {
        block.labels[0]: find_node(block, "default")
        for name, block in blocks
        if name.text == "variable" and block.labels
    }

    def resolve(node: object) -> tuple[object, bool]:
        may_differ = False
        for _ in range(MAX_NAMES + 1):  # names that stand for each other have no end
            if not isinstance(node, Expression) or len(node.words) != 1 or node.parts:
                break
            if not (match := _REFERENCE.fullmatch(node.words[0])):
                break
            found = local.get(match[2]) if match[1] == "local" else variables.get(match[2])
            if found is None:
                return node, True
            node, may_differ = found, may_differ or match[1] == "var"
        else:
            note_cut(TOO_MUCH)
        return node, may_differ

    return resolve


def _server(node: object, resolve: Resolver) -> Server:
    return read_server(resolve_plain(node, resolve))


# --- resources --------------------------------------------------------------------------------------------------------


def _read_resource(kind: str, block: Block, line: int, resolve: Resolver) -> Iterator[Place]:
    if kind == "azurerm_container_registry":
        yield from _read_registry(block, line, resolve)
    elif kind.startswith("azapi_"):
        yield from _read_azapi(kind, block, line, resolve)
    elif kind.startswith(("kubernetes_", "helm_release")):
        yield from _read_cluster(kind, block, resolve)
    elif read := _RESOURCES.get(kind):
        yield from read(block, line, resolve)
    elif kind.startswith("azurerm_") and ("_app" in kind or "_site" in kind):
        yield from _read_site(block, resolve)


def _read_registry(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    name = plain_text(resolve_plain(find_node(block, "name"), resolve))
    host = named_login_server(name) if name else None
    if entry := find_entry(block, _STATUS):
        yield from _judge_status(*entry, host, resolve)
    else:
        yield Place(line, "terraform-status-omitted", host)


def _judge_status(key: Scalar, value: AnyNode, host: str | None, resolve: Resolver) -> Iterator[Place]:
    found, may_differ = resolve(value)
    if isinstance(found, Scalar) and found.text.lower() in ("true", "false", "null"):
        if is_true(found):
            yield Place(key.line, "terraform-status-variable" if may_differ else "terraform-status-enabled", host)
    else:
        yield Place(key.line, "terraform-status-variable", host)


def _read_azapi(kind: str, block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    type_ = (plain_text(resolve_plain(find_node(block, "type"), resolve)) or "").partition("@")[0]
    body = find_entry(block, "body")
    if not type_ or "/" not in type_ or not body:
        return
    content = resolve_plain(body[1], resolve)
    if isinstance(content, Scalar):  # a heredoc of JSON
        content = next(mappings_in(read_brackets(content.text, JSON, content.line)), content)
    found = list(judge_resource(type_, content, line, resolve))  # type: ignore[arg-type]
    if kind != "azapi_resource":  # an update leaves what it does not name
        found = [place for place in found if place.pattern != "registry-status-omitted"]
    yield from found


def _read_module(block: Mapping, resolve: Resolver) -> Iterator[Place]:
    yield from judge_anywhere(block, resolve)
    for node in walk_all(block):
        for key, value in _own_entries(node):
            if fold_key(key.text) == _STATUS:
                yield from _judge_status(key, value, None, resolve)
    yield from _read_site(block, resolve)


def _own_entries(node: object) -> Iterator[tuple[Scalar, AnyNode]]:
    if isinstance(node, Mapping):
        yield from ((key, value) for key, value in node.entries if key is not None)


def _read_site(block: Mapping, resolve: Resolver) -> Iterator[Place]:
    """Read App Service and Functions: `site_config` with its `application_stack`."""
    for node in walk_all(block):
        for key, value in _own_entries(node):
            if fold_key(key.text) not in _SITE_SWITCHES:
                continue
            found, may_differ = resolve(value)
            server = _site_server(node, resolve)
            if (is_false(found) and not may_differ) or not server.may_be_acr:
                continue
            sure = is_true(found) and not may_differ
            yield Place(key.line, "app-service-identity" if sure else "app-service-setting", server.host)
            return
    for _, stack in find_entries(block, "siteconfig", "applicationstack"):
        url = find_entry(stack, "dockerregistryurl") or find_entry(stack, "registryurl")
        secret = find_node(stack, "dockerregistrypassword") or find_node(stack, "registrypassword")
        if url and is_set(secret) and (server := _server(url[1], resolve)).may_be_acr:
            yield Place(url[0].line, "app-service-password", server.host)


def _site_server(site: object, resolve: Resolver) -> Server:
    """Return the registry that `application_stack` beside the switch names; one that nobody knows without any."""
    candidates = ("dockerregistryurl", "registryurl", "dockerimage", "dockerimagename")
    stacks = [site, *(node for _, node in find_entries(site, "applicationstack"))]
    stacks += [node for _, node in find_entries(site, "applicationstack", "docker")]
    for name in (*candidates, "linuxfxversion"):
        for stack in stacks:
            node = find_node(stack, name)
            if is_set(node) and (name != "dockerimagename" or "." in (plain_text(node) or "$").partition("/")[0]):
                return _server(node, resolve)
    return Server(VARIABLE)


def _read_container_app(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    yield from judge_each(find_entries(block, "registry"), "container-app", resolve)


def _read_container_group(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    yield from judge_each(find_entries(block, "imageregistrycredential"), "container-instance", resolve)


def _read_batch_pool(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    yield from judge_each(find_entries(block, "containerconfiguration", "containerregistries"), "batch", resolve)


def _read_workspace(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    if (entry := find_entry(block, "containerregistryid")) and is_set(resolve_plain(entry[1], resolve)):
        yield Place(entry[0].line, "machine-learning-registry")


def _read_aks(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    if (entry := find_entry(block, "bootstrapprofile", "containerregistryid")) and is_set(entry[1]):
        yield Place(entry[0].line, "aks-bootstrap")


def _read_task(block: Mapping, line: int, resolve: Resolver) -> Iterator[Place]:
    yield Place(line, "acr-task")


_RESOURCES: dict[str, Callable[[Mapping, int, Resolver], Iterator[Place]]] = {
    "azurerm_container_app": _read_container_app,
    "azurerm_container_app_job": _read_container_app,
    "azurerm_container_group": _read_container_group,
    "azurerm_batch_pool": _read_batch_pool,
    "azurerm_machine_learning_workspace": _read_workspace,
    "azurerm_kubernetes_cluster": _read_aks,
    "azurerm_container_registry_task": _read_task,
}


# --- clusters ---------------------------------------------------------------------------------------------------------


def _read_cluster(kind: str, block: Mapping, resolve: Resolver) -> Iterator[Place]:
    for node in walk_all(block):
        for key, value in _own_entries(node):
            if key.text in ("image", "value") and (server := _server(value, resolve)).host:
                yield Place(key.line, "cluster-image", server.host)
    repository = find_entry(block, "repository") or find_entry(block, "chart")
    if kind == "helm_release" and repository and (host := _server(repository[1], resolve).host):
        yield Place(repository[0].line, "helm-chart-source", host)


def _read_helm_provider(block: Mapping, resolve: Resolver) -> Iterator[Place]:
    for path in (("registry",), ("registries",)):
        for _, registry in find_entries(block, *path):
            for each in mappings_in(registry):
                url = find_entry(each, "url")
                if url and (host := _server(url[1], resolve).host):
                    yield Place(url[0].line, "terraform-stored-password", host)


def _read_docker_provider(block: Mapping, resolve: Resolver) -> Iterator[Place]:
    for _, registry in find_entries(block, "registryauth"):
        address = find_entry(registry, "address")
        if address and (server := _server(address[1], resolve)).may_be_acr:
            words = " ".join(address[1].words) if isinstance(address[1], Expression) else ""
            if server.host or "login_server" in words or "azurecr" in words:
                yield Place(address[0].line, "terraform-stored-password", server.host)


def _read_admin_user(block: Mapping) -> Iterator[Place]:
    for node in walk_all(block):
        if isinstance(node, Expression) and any(_ADMIN.search(word) for word in node.words):
            yield Place(node.line, "admin-user")
            return
