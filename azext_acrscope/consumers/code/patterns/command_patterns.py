"""Know the commands that sign in to a registry, or set its status back."""

# pylint: disable=unused-argument  # functions that are called by a table take the same arguments

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

from azext_acrscope.base.resource_ids import name_in_id
from azext_acrscope.consumers.code.languages.scripts import MAX_LOOKED_AT, Call
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.patterns.registry_words import (
    OPEN_MACRO,
    find_login_server,
    is_registry_host,
    named_login_server,
    seems_registry_name,
)
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.credentials.protocol_constants import TOKEN_USERNAME

_MAX_TRIED = 5  # programs of one command that look at all words behind them
_AZ = frozenset(("az", "az.cmd", "az.exe", "az.bat"))
_CLIENTS = {"docker": 1, "podman": 1, "buildah": 1, "skopeo": 1, "nerdctl": 1, "crane": 2, "cosign": 1, "oras": 1}
_BICEP_ACTIONS = frozenset(("publish", "publish-extension"))
_FLUX_KINDS = frozenset(("oci", "helm", "artifact", "repository"))
_OPEN_NAME = re.compile(rf"{OPEN_MACRO}|\$(?:env:)?\{{?(\w+)\}}?", re.IGNORECASE | re.ASCII)
_SYNOPSIS = re.compile(r"^(?:\[-|\[?--[\w-]+\]$|<[A-Za-z])")
_POWERSHELL_REGISTRY = re.compile(
    r"(?:connect-azcontainerregistry|(?:get|remove|update)-azcontainerregistry(?:repository|tag|manifest))",
    re.IGNORECASE,
)
_RESOURCE_GET = re.compile(r"(?:register-psresourcerepository|(?:publish|find|install|save)-psresource)", re.IGNORECASE)
_ACR_SWITCH = re.compile(r"acrUseManagedIdentityCreds[\"'\\]*\s*[:=]\s*[\"'\\$]*true", re.IGNORECASE)


def judge_call(call: Call, text: str, version: str | None = None) -> Iterator[Place]:
    """Yield what a command does with registries.

    :param text: of the file: of two commands that make one sign-in only one is told.
    :param version: of the Azure CLI that runs it, if the file says it.
    """
    texts = call.texts
    lowered = [each.lower() for each in texts]
    tried = 0
    for index, word in enumerate(lowered):
        program = word.rpartition("/")[2].rpartition("\\")[2].strip("()")
        group = index + 1 if program in _AZ else index
        if (program in _AZ or index == 0) and texts[group : group + 1] in (["acr"], ["ACR"]):  # noqa: E203
            yield from _judge_acr(call, index, texts[group + 1 :], text, version)  # noqa: E203
            return
        if program in _AZ:
            yield from _judge_az(call, index, texts[index + 1 :], text)  # noqa: E203
            return
        if program == "rad":
            return  # its `rad bicep publish` takes what docker stored
        actions, judge = _PROGRAMS.get(program, _NONE)
        if judge and not actions.isdisjoint(lowered[index + 1 : index + 5]):  # noqa: E203
            if (tried := tried + 1) > _MAX_TRIED:
                note_cut(TOO_MUCH, call.line(index))
                break
            if places := list(judge(call, index, texts[index + 1 :], text)):  # noqa: E203
                yield from places
                return
        if index == 0:
            yield from _judge_powershell(call, word, texts[1:], text)
    yield from _judge_words(call)


def _option(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value of an option; empty if it has none; None if the option is not there.

    As the Azure CLI does, the beginning of a long name is taken for it.
    """
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        lowered = name.lower()
        long = lowered.startswith("--") and len(lowered) > 2
        if not any(lowered == each or (long and each.startswith(lowered)) for each in names):
            continue
        if equals:
            return value
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        return "" if re.match(r"-{1,2}[A-Za-z]", following) else following
    return None


def _is_synopsis(arguments: Sequence[str]) -> bool:
    """Return whether words are a pattern that a reader is to fill in, not a command."""
    return any(_SYNOPSIS.match(each) and not _is_option(each) for each in arguments)


def _is_option(argument: str) -> bool:
    return argument.startswith("--") and not argument.endswith("]")


def _judge_acr(call: Call, index: int, arguments: list[str], text: str, version: str | None) -> Iterator[Place]:
    line = call.line(index)
    action = arguments[0].lower() if arguments else ""
    rest = arguments[1:]
    if _is_synopsis(rest) or any(re.match(r"-(?:h|-help)$", each) for each in rest):
        return
    name = _option(rest, "--registry", "-r", "--name", "-n")
    if action in ("manifest",):
        name = _option(rest, "--registry", "-r") or next((each for each in rest if find_login_server(each)), None)
    registry = named_login_server(name, text) if name else None
    pattern = _ACR_COMMANDS.get(action)
    if pattern and (rest or name):
        yield Place(line, pattern, registry, version)
    elif action == "import":
        source = _option(rest, "--source")
        if source and (is_registry_host(source) or _option(rest, "--registry", "-r") is not None):
            yield Place(line, "az-acr-import", find_login_server(source), version)
    elif action == "config" and [each.lower() for each in rest[:2]] == ["authentication-as-arm", "update"]:
        status = _option(rest, "--status")
        if status is not None and (status.strip("\"'").lower() == "enabled"):
            name = _option(rest, "--registry", "-r", "--name", "-n")
            yield Place(line, "az-acr-config-enabled", named_login_server(name, text) if name else None)


_ACR_COMMANDS = {
    "login": "az-acr-login",
    "repository": "az-acr-repository",
    "manifest": "az-acr-repository",
    "helm": "az-acr-repository",
    "check-health": "az-acr-check-health",
}


def _judge_az(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    line = call.line(index)
    group = [each.lower() for each in arguments[:4] if not each.startswith("-")]
    if _is_synopsis(arguments):
        return
    if group[:1] == ["bicep"]:
        yield from _judge_bicep(call, index, arguments[1:], text)
    elif group[:1] == ["containerapp"]:
        yield from _judge_container_app(line, group, arguments)
    elif group[:1] in (["webapp"], ["functionapp"]) and _option(arguments, "--acr-use-identity") is not None:
        if (_option(arguments, "--acr-use-identity") or "true").lower() != "false":
            yield Place(line, "az-webapp-acr-identity")
    elif group[:2] == ["container", "create"]:
        image = _option(arguments, "--image") or ""
        if _option(arguments, "--acr-identity") is not None:
            yield Place(line, "az-container-acr-identity", find_login_server(image))
        elif _option(arguments, "--registry-username") is not None and _speaks_of_registry(
            _option(arguments, "--registry-login-server") or image
        ):
            server = _option(arguments, "--registry-login-server") or image
            yield Place(line, "az-stored-password", find_login_server(server))
    elif group[:1] == ["aks"]:
        yield from _judge_aks(line, group, arguments)
    else:
        yield from _judge_words(call)


def _judge_container_app(line: int, group: list[str], arguments: list[str]) -> Iterator[Place]:
    server = _option(arguments, "--registry-server", "--server") or ""
    if server and not _speaks_of_registry(server) and not server.startswith("$"):
        return
    identity = _option(arguments, "--registry-identity")
    if "registry" in group and "set" in group:
        identity = _option(arguments, "--identity")
    if identity is not None:
        yield Place(line, "az-containerapp-identity", find_login_server(server))
    elif _option(arguments, "--registry-username", "--username") is not None and _speaks_of_registry(server):
        yield Place(line, "az-stored-password", find_login_server(server))


def _judge_aks(line: int, group: list[str], arguments: list[str]) -> Iterator[Place]:
    if (attached := _option(arguments, "--attach-acr")) is not None:
        yield Place(line, "az-aks-attach-acr", named_login_server(name_in_id(attached)) if attached else None)
    elif "check-acr" in group:
        yield Place(line, "az-aks-check-acr", find_login_server(_option(arguments, "--acr") or ""))


def _judge_bicep(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    action = arguments[0].lower() if arguments else ""
    if action not in _BICEP_ACTIONS or _is_synopsis(arguments):
        return
    target = _option(arguments, "--target", "-t") or ""
    if target.startswith("br:") and not is_registry_host(target[3:]):
        host = target.partition("/")[0]
        if not re.search(r"[$%{]", host) or re.search(r"local|ghcr", host, re.IGNORECASE):
            return  # another registry
    elif not (target.startswith("br:") or (target.startswith(("$", "%")) and _names_modules(text)) or "br:" in target):
        return
    yield Place(call.line(index), "bicep-publish", find_login_server(target.removeprefix("br:")))


def _judge_client(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    """Judge `docker login` and its like."""
    words = [each for each in arguments[:3] if not each.startswith("-")]
    if "login" not in words[:2] or _is_synopsis(arguments):
        return
    rest = arguments[arguments.index("login") + 1 :]  # noqa: E203
    with_token = any(TOKEN_USERNAME in each for each in rest)
    # The user or the password may be called so as well.
    named = (each for before, each in zip(["", *rest], rest) if not _is_of_option(before, each))  # noqa: B905
    if not (with_token or any(map(_speaks_of_registry, named))):
        return
    server = next((found for each in rest if (found := find_login_server(each))), None)
    if with_token:
        if not makes_token(text):
            yield Place(call.line(index), "docker-login-null-user", server)
        return
    yield Place(call.line(index), "docker-login", server)


def judge_open_login(call: Call, text: str, assigned: Collection[str]) -> Iterator[Place]:
    """Yield a sign-in to a registry of which there is only the name of a variable, whatever it is called.

    :param assigned: names that the script itself gives values.
    """
    texts = call.texts[:MAX_LOOKED_AT]
    for index, word in enumerate(texts):
        program = word.rpartition("/")[2].lower()
        if (program in _CLIENTS or program == "helm") and "login" in texts[index + 1 : index + 4]:  # noqa: E203
            rest = texts[texts.index("login", index) + 1 :]  # noqa: E203
            named = [each for before, each in zip(["", *rest], rest) if not _is_of_option(before, each)]  # noqa: B905
            match = _OPEN_NAME.fullmatch(named[0]) if named else None
            if match and (match[1] or match[2]) not in assigned and not _is_synopsis(rest):
                is_token = any(TOKEN_USERNAME in each for each in rest)
                if not (is_token and makes_token(text)):
                    yield Place(call.line(index), "docker-login-null-user" if is_token else "docker-login")
            return


# Of a file, as commands are judged in it one after the other.
@lru_cache(maxsize=2)
def makes_token(text: str) -> bool:
    """Return whether a text makes a token of its own: then that is the sign-in, and not what uses the token."""
    return "expose-token" in text or "/oauth2/exchange" in text


@lru_cache(maxsize=2)
def _names_modules(text: str) -> bool:
    return "br:" in text


@lru_cache(maxsize=2)
def _names_registries(text: str) -> bool:
    return bool(re.search(r"azurecr\.|containerregistry", text, re.IGNORECASE))


def _is_of_option(before: str, word: str) -> bool:
    """Return whether a word is an option, or the value of the one for the user or the password."""
    return word.startswith("-") or before.lower() in ("-u", "--username", "-p", "--password", "--user")


def _judge_helm(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    if [each.lower() for each in arguments[:2]] == ["registry", "login"]:
        yield from _judge_client(call, index, arguments[1:], text)


def _judge_flux(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    if (_option(arguments, "--provider") or "").lower() != "azure" or _is_synopsis(arguments):
        return
    named = next((each for each in arguments if ("oci://" in each or "azurecr" in each)), "")
    if not _FLUX_KINDS.isdisjoint(each.lower() for each in arguments[:4]):
        yield Place(call.line(index), "flux-azure", find_login_server(named.partition("=")[2] or named))


def _judge_zenml(call: Call, index: int, arguments: list[str], text: str) -> Iterator[Place]:
    lowered = [each.lower() for each in arguments]
    if lowered[:2] == ["container-registry", "register"]:
        uri = _option(arguments, "--uri") or ""
        if _speaks_of_registry(uri) or "azure" in lowered:
            yield Place(call.line(index), "zenml-azure", find_login_server(uri))
    elif lowered[:2] == ["service-connector", "register"] and "azure" in lowered:
        resource = _option(arguments, "--resource-type") or ""
        if resource.lower() == "docker-registry":
            yield Place(call.line(index), "zenml-azure", find_login_server(_option(arguments, "--resource-id") or ""))


_Judge = Callable[[Call, int, list[str], str], Iterator[Place]]
_NONE: tuple[frozenset[str], _Judge | None] = frozenset(), None
# By program: the words of which one is among the four behind it in what its judge knows, and the judge.
_PROGRAMS: dict[str, tuple[frozenset[str], _Judge]] = {
    **dict.fromkeys(_CLIENTS, (frozenset(("login",)), _judge_client)),
    "helm": (frozenset(("registry",)), _judge_helm),
    "flux": (_FLUX_KINDS, _judge_flux),
    "zenml": (frozenset(("register",)), _judge_zenml),
    "bicep": (_BICEP_ACTIONS, _judge_bicep),
}


def _judge_powershell(call: Call, word: str, arguments: list[str], text: str) -> Iterator[Place]:
    if _POWERSHELL_REGISTRY.fullmatch(word):
        name = _option(arguments, "-name", "-registryname") or ""
        is_password = _option(arguments, "-username") is not None
        pattern = "docker-login" if is_password else "azure-powershell"
        yield Place(call.line(), pattern, named_login_server(name, text) if name else None)
    elif _RESOURCE_GET.fullmatch(word):
        uri = _option(arguments, "-uri") or ""
        is_registration = word.startswith("register")
        if is_registration and _speaks_of_registry(uri):
            yield Place(call.line(), "psresourceget", find_login_server(uri))
        elif not is_registration and _names_registries(text):
            yield Place(call.line(), "psresourceget")


def _judge_words(call: Call) -> Iterator[Place]:
    """Judge what stands in arguments of any command: a setting of App Service, the name of a credential helper."""
    is_data = call.words[0].text[:1] in ("{", "[")
    for index, word in enumerate(call.words):
        if "acr" not in word.text.lower():
            continue
        if not is_data and _ACR_SWITCH.search(word.text):
            yield Place(call.line(index), "az-webapp-acr-identity")
            return
        if re.search(r"docker-credential-acr-env|[\"']acr-env[\"']", word.text):
            yield Place(call.line(index), "acr-env-helper", _server_in(word.text))
            return


def _server_in(text: str) -> str | None:
    found = re.search(r"[A-Za-z0-9][\w.-]{4,200}\.azurecr\.\w{2,3}", text, re.ASCII)
    return find_login_server(found[0]) if found else None


def _speaks_of_registry(word: str) -> bool:
    """Return whether a word is a host of Azure Container Registry, or a variable that is named so."""
    if is_registry_host(word):
        return True
    is_variable = any(mark in word for mark in ("$", "%", "{", "("))
    return is_variable and seems_registry_name(word)
