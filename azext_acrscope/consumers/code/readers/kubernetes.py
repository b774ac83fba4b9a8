"""Kubernetes: manifests and lists of them, kustomizations, values and charts of Helm, and who signs in by itself.

Definitions of kinds (CRDs) are no objects of these kinds. A host that only restricts images (a policy's pattern) signs
in nowhere.
"""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Callable, Iterator

from azext_acrscope.base.foreign_json import find_object, find_text, parse_json
from azext_acrscope.consumers.code.file_names import TEMPLATES, YAML, begins_script, ending_of, has_no_ending
from azext_acrscope.consumers.code.languages.json_documents import read_nodes
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence, read_documents, walk
from azext_acrscope.consumers.code.limits import note_cut
from azext_acrscope.consumers.code.patterns.registry_names import OTHER, find_acr, read_server
from azext_acrscope.consumers.code.patterns.registry_words import is_registry_host
from azext_acrscope.consumers.code.patterns.stored_credentials import decode_base64, pattern_of_user, user_of_auth
from azext_acrscope.consumers.code.place import Place

_ENDINGS = frozenset((*YAML, *TEMPLATES, ".json", ""))
_LOCKS = ("chart.lock", "requirements.lock")
_VALUES = re.compile(r"(?:^|/)[\w.-]*values[\w.-]*\.ya?ml\Z", re.IGNORECASE)
_CHART = re.compile(r"(?:^|/)(?:Chart\.(?:yaml|lock)|requirements\.(?:yaml|lock))\Z")
_KUSTOMIZATION = re.compile(r"(?:^|/)kustomization\.ya?ml\Z", re.IGNORECASE)
_BEGINS_OBJECT = re.compile(r"\A(?:\s|#[^!\n][^\n]*\n|#\n|---[ \t]*\n|\{)*\"?(?:apiVersion|kind|metadata)\b")
_PLACEHOLDER = re.compile(r"[${<]|\A\s*\Z")  # for what only the run knows
_NO_OBJECTS = frozenset(("CustomResourceDefinition", "CustomResourceDefinitionList"))


ENDINGS = None
WORDS = (
    *("azurecr.", "acrpullbinding", "acraccesstoken", "source.toolkit.fluxcd", "image.toolkit.fluxcd"),
    *("azure-autologin-for-acr", "argocd.argoproj.io", "trivy-operator", "policy-controller"),
    *(".dockerconfigjson", ".dockercfg"),
)


def reads(name: str) -> bool:
    """Return whether a file may be a manifest, a kustomization, or a chart's values or dependencies."""
    return ending_of(name) in _ENDINGS or name.endswith(_LOCKS)


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the images that kubelets pull, and what else signs in from a cluster."""
    if not (_VALUES.search(name) or _CHART.search(name) or _KUSTOMIZATION.search(name)):
        is_template = '"contentVersion"' in text  # of ARM, whose resources have these members as well
        if "apiVersion" not in text or "kind" not in text or is_template:
            return
        if begins_script(name, text) or (has_no_ending(name) and not _BEGINS_OBJECT.search(text)):
            return  # a script, which may have a manifest in it
    for root in read_nodes(text, name):
        if not isinstance(root, Mapping):
            continue
        if _CHART.search(name):
            yield from _read_chart(root)
        elif _VALUES.search(name) and not root.text("apiVersion"):
            yield from read_images(root)
        elif _KUSTOMIZATION.search(name):
            yield from _read_kustomization(root)
        else:
            yield from _read_object(root)


def _read_object(root: Mapping) -> Iterator[Place]:
    waiting: list[Mapping] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        kind, group = node.text("kind"), node.text("apiVersion").partition("/")[0]
        if id(node) in seen or kind in _NO_OBJECTS or not group:
            continue
        seen.add(id(node))
        items = node.get("items")
        if kind.endswith("List") and isinstance(items, Sequence):
            waiting += [each for each in items.items if isinstance(each, Mapping)]
        elif read := _READERS.get(kind):
            yield from read(node, group)
        else:
            yield from _read_pods(node)


# --- images -----------------------------------------------------------------------------------------------------------


def _read_pods(node: Mapping) -> Iterator[Place]:
    """Yield the images of whatever has containers: pods, what makes pods, and kinds of operators."""
    for spec in walk(node):
        if not isinstance(spec, Mapping):
            continue
        has_secret = isinstance(secrets := spec.get("imagePullSecrets"), Sequence) and bool(secrets.items)
        for name in ("containers", "initContainers", "ephemeralContainers"):
            containers = spec.get(name)
            for each in containers.items if isinstance(containers, Sequence) else ():
                if isinstance(each, Mapping):
                    yield from _image(each.get("image"), has_secret)
                    yield from _arguments(each)
    image = node.get("spec", "image")  # of kinds of operators, such as Prometheus and Argo's templates
    if isinstance(image, Scalar):
        yield from _image(image, isinstance(node.get("spec", "imagePullSecrets"), Sequence))


def _arguments(container: Mapping) -> Iterator[Place]:
    for name in ("args", "command"):
        words = container.get(name)
        for word in words.items if isinstance(words, Sequence) else ():
            if isinstance(word, Scalar) and word.text.startswith("--azure-autologin-for-acr"):
                yield Place(word.line, "flux-source")


def _image(node: Node | None, has_secret: bool = False) -> Iterator[Place]:
    if isinstance(node, Scalar) and "/" in node.text and is_registry_host(node.text):
        yield Place(node.line, "cluster-image-secret" if has_secret else "cluster-image", find_acr(node.text))


def read_images(root: Node | None) -> Iterator[Place]:
    """Yield the images that values of a chart name: as one text, or with registry, repository and tag apart."""
    if root is None:
        return
    for node in walk(root):
        if not isinstance(node, Mapping):
            continue
        has_secret = isinstance(secrets := node.get("imagePullSecrets"), Sequence) and bool(secrets.items)
        registry = node.get("registry")
        apart = isinstance(registry, Scalar) and (node.get("repository") or node.get("tag") or node.get("image"))
        for key, value in node.items():
            if not isinstance(value, Scalar) or not (host := find_acr(value.text)):
                continue
            folded = key.text.lower()
            is_image = (folded.endswith("image") or folded == "repository") and "/" in value.text
            is_image = is_image and not (folded == "repository" and value.text.startswith(("oci:", "https:")))
            if is_image or folded.endswith("imageregistry") or (folded == "registry" and apart):
                yield Place(value.line, "cluster-image-secret" if has_secret else "cluster-image", host)


def _read_kustomization(root: Mapping) -> Iterator[Place]:
    images = root.get("images")
    for each in images.items if isinstance(images, Sequence) else ():
        if isinstance(each, Mapping):
            node = each.get("newName") or each.get("name")
            yield from _image(node)
    charts = root.get("helmCharts")
    for each in charts.items if isinstance(charts, Sequence) else ():
        repo = each.get("repo") if isinstance(each, Mapping) else None
        if isinstance(repo, Scalar) and (host := find_acr(repo.text)):
            yield Place(repo.line, "helm-chart-source", host)


def _read_chart(root: Mapping) -> Iterator[Place]:
    dependencies = root.get("dependencies")
    for each in dependencies.items if isinstance(dependencies, Sequence) else ():
        source = each.get("repository") if isinstance(each, Mapping) else None
        if isinstance(source, Scalar) and (host := find_acr(source.text)):
            yield Place(source.line, "helm-chart-source", host)


# --- who signs in by itself -------------------------------------------------------------------------------------------


def _read_binding(node: Mapping, group: str) -> Iterator[Place]:
    if not group.endswith("acrpull.microsoft.com"):
        return
    server = node.get("spec", "acr", "server") or node.get("spec", "acrServer")
    host = find_acr(server.text) if isinstance(server, Scalar) else None
    yield Place(server.line if isinstance(server, Scalar) else node.line, "acr-pull-binding", host)


def _read_generator(node: Mapping, group: str) -> Iterator[Place]:
    if group.endswith("external-secrets.io"):
        yield from _generator(node.get("spec"), node.line)


def _read_cluster_generator(node: Mapping, group: str) -> Iterator[Place]:
    if spec := node.get("spec", "generator", "acrAccessTokenSpec"):
        yield from _generator(spec, node.line)


def _generator(spec: Node | None, line: int) -> Iterator[Place]:
    registry = spec.get("registry") if isinstance(spec, Mapping) else None
    if isinstance(registry, Scalar):
        yield Place(registry.line, "external-secrets-generator", find_acr(registry.text))
    else:
        yield Place(line, "external-secrets-generator")


def _read_flux_source(node: Mapping, group: str) -> Iterator[Place]:
    if not group.endswith("toolkit.fluxcd.io"):
        return
    address = node.get("spec", "url") or node.get("spec", "image")
    if not isinstance(address, Scalar):
        return
    server = read_server(address)
    if node.text("spec", "provider") == "azure" and server.kind != OTHER:
        yield Place(address.line, "flux-source", server.host)
    elif server.host:
        has_secret = isinstance(node.get("spec", "secretRef"), Mapping)
        yield Place(address.line, "flux-source-secret" if has_secret else "flux-source-anonymous", server.host)


def _read_helm_release(node: Mapping, group: str) -> Iterator[Place]:
    yield from read_images(node.get("spec", "values"))
    yield from _read_scanner(node, node.text("spec", "chart", "spec", "chart"))


def _read_argo_application(node: Mapping, group: str) -> Iterator[Place]:
    if group != "argoproj.io":
        yield from _read_pods(node)
        return
    for below in walk(node.get("spec") or Scalar("", node.line)):
        if not isinstance(below, Mapping):
            continue
        address = below.get("repoURL")
        if isinstance(address, Scalar) and (host := find_acr(address.text)):
            yield Place(address.line, "argo-cd-application", host)
        if isinstance(values := below.get("valuesObject"), Mapping):
            yield from read_images(values)
        if isinstance(inline := below.get("values"), Scalar):
            for document in read_documents(inline.text, inline.line + 1):
                for place in read_images(document):
                    yield Place(inline.line, place.pattern, place.registry)
        parameters = below.get("parameters")
        for each in parameters.items if isinstance(parameters, Sequence) else ():
            yield from _image(each.get("value") if isinstance(each, Mapping) else None)
        yield from _read_scanner(node, below.text("chart"))


def _read_scanner(node: Mapping, chart: str) -> Iterator[Place]:
    if chart not in ("trivy-operator", "policy-controller"):
        return
    pattern = "trivy-operator" if chart == "trivy-operator" else "policy-controller"
    if any(isinstance(each, Scalar) and each.text.startswith("azure.workload.identity/") for each in _keys(node)):
        yield Place(node.line, pattern)


def _keys(node: Mapping) -> Iterator[Scalar]:
    for below in walk(node):
        if isinstance(below, Mapping):
            yield from (key for key, _ in below.entries if key is not None)


def _read_image_policy(node: Mapping, group: str) -> Iterator[Place]:
    if group != "policy.sigstore.dev" or node.get("spec", "authorities") is None:
        return
    images = node.get("spec", "images")
    for each in images.items if isinstance(images, Sequence) else ():
        glob = each.get("glob") if isinstance(each, Mapping) else None
        if isinstance(glob, Scalar) and (host := find_acr(glob.text)):
            yield Place(glob.line, "policy-controller", host)


def _read_kyverno(node: Mapping, group: str) -> Iterator[Place]:
    """Only rules that verify images look into the registry; a pattern for the names of images does not."""
    if not group.endswith("kyverno.io"):
        yield from _read_pods(node)
        return
    for below in walk(node):
        if not isinstance(below, Mapping):
            continue
        for name in ("verifyImages", "matchImageReferences"):
            rules = below.get(name)
            if isinstance(rules, Sequence):
                yield from _kyverno_images(rules)


def _kyverno_images(rules: Sequence) -> Iterator[Place]:
    for rule in rules.items:
        if not isinstance(rule, Mapping) or isinstance(rule.get("imageRegistryCredentials", "secrets"), Sequence):
            continue
        images = rule.get("imageReferences") or rule.get("image") or rule.get("glob")
        for each in images.items if isinstance(images, Sequence) else [images]:
            if isinstance(each, Scalar) and (host := find_acr(each.text)):
                yield Place(each.line, "kyverno", host)


# --- secrets ----------------------------------------------------------------------------------------------------------


def _read_secret(node: Mapping, group: str) -> Iterator[Place]:
    if node.text("metadata", "labels", "argocd.argoproj.io/secret-type") in ("repository", "repo-creds"):
        yield from _read_argo_secret(node)
        return
    for name in (".dockerconfigjson", ".dockercfg"):
        for place in ("data", "stringData"):
            value = node.get(place, name)
            if isinstance(value, Scalar):
                yield from _read_pull_secret(value, place == "data")


def _read_argo_secret(node: Mapping) -> Iterator[Place]:
    def text(name: str) -> str:
        plain = node.text("stringData", name)
        return plain or (decode_base64(node.text("data", name)) if node.text("data", name) else "")

    address = node.get("stringData", "url") or node.get("data", "url")
    host = find_acr(text("url"))
    line = address.line if isinstance(address, Scalar) else node.line
    if text("useAzureWorkloadIdentity").lower() == "true":
        yield Place(line, "argo-cd-identity", host)
    elif host:
        yield Place(line, pattern_of_user(text("username")), host)


def _read_pull_secret(value: Scalar, encoded: bool) -> Iterator[Place]:
    content = parse_json(decode_base64(value.text) if encoded else value.text)
    if content is None and not _PLACEHOLDER.search(value.text):
        note_cut("a pull secret that cannot be read", value.line)
    servers = find_object(content, "auths") or find_object(content)
    for server, entry in servers.items():
        if host := find_acr(server):
            user = find_text(entry, "username") or user_of_auth(find_text(entry, "auth"))
            yield Place(value.line, pattern_of_user(user), host)


_READERS: dict[str, Callable[[Mapping, str], Iterator[Place]]] = {
    "AcrPullBinding": _read_binding,
    "ACRAccessToken": _read_generator,
    "ClusterGenerator": _read_cluster_generator,
    "OCIRepository": _read_flux_source,
    "HelmRepository": _read_flux_source,
    "ImageRepository": _read_flux_source,
    "HelmRelease": _read_helm_release,
    "Application": _read_argo_application,
    "ApplicationSet": _read_argo_application,
    "ClusterImagePolicy": _read_image_policy,
    "ClusterPolicy": _read_kyverno,
    "Policy": _read_kyverno,
    "ImageValidatingPolicy": _read_kyverno,
    "Secret": _read_secret,
}
