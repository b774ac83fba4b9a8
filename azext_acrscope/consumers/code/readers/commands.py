"""Commands that sign in, in scripts, Makefiles, Jenkinsfiles, Dockerfiles and the strings of programs."""

import re
from collections.abc import Iterator

from azext_acrscope.consumers.code.file_names import SHELL_SCRIPTS, ending_of, is_dockerfile
from azext_acrscope.consumers.code.languages.scripts import COMMAND_WORDS, Call, find_calls, guess_dialect, lines_of
from azext_acrscope.consumers.code.languages.shell import MAKE, POSIX
from azext_acrscope.consumers.code.languages.strings import find_string_calls
from azext_acrscope.consumers.code.patterns.command_patterns import judge_call
from azext_acrscope.consumers.code.patterns.exchanges import find_exchanges
from azext_acrscope.consumers.code.patterns.pins import find_cli_version
from azext_acrscope.consumers.code.patterns.registry_words import (
    find_login_server,
    is_registry_host,
    seems_registry_name,
)
from azext_acrscope.consumers.code.place import Place

_SCRIPTS = (*SHELL_SCRIPTS, ".ps1", ".psm1", ".bat", ".cmd")
_MAKES = re.compile(r"(?:^|/)(?:gnu)?makefile[^/]*$|\.(?:mk|make|mak)$|(?:^|/)\.?justfile$", re.IGNORECASE)
_PROGRAM_ENDINGS = (
    *(".py", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".go", ".cs", ".fs", ".csx", ".fsx", ".java", ".kt", ".kts"),
    *(".groovy", ".gradle", ".jenkins", ".rb", ".rs", ".php", ".pl", ".tf", ".hcl", ".bicep", ".scala", ".swift"),
    *(".lua", ".toml", ".cake", ".nu", ".star"),
)
_ENDINGS = frozenset((*_SCRIPTS, *_PROGRAM_ENDINGS, ".mk", ".make", ".mak"))
_JENKINSFILE = re.compile(r"(?:^|/)(?:jenkinsfile[^/]*|tasks|noxfile|fabfile|rakefile)\Z", re.IGNORECASE)
_SHEBANG = re.compile(r"#![^\n]*(?:/|\s)(?:(?:ba|z|k|da|a|fi)?sh|pwsh|bats)\b")
# What else runs a file, and the ending that files of this language have.
_INTERPRETER = re.compile(r"#![^\n]*(?:/|\s)(python|node|deno|bun|ruby|perl|php|groovy)")
_LANGUAGES = {"python": "py", "ruby": "rb", "perl": "pl", "php": "php", "groovy": "groovy"}
_JENKINS_REGISTRY = re.compile(
    r"(?:docker\s*\.\s*withRegistry\s*\(\s*|withDockerRegistry\s*\([^)\n]{0,200}?url\s*:\s*)([\"'])([^\"'\n]{1,200})\1"
)


ENDINGS = None
WORDS = (*COMMAND_WORDS, "withregistry", "withdockerregistry")


def reads(name: str) -> bool:
    """Return whether a file is a script, or a program that may run commands."""
    # The word is looked for first, because regular expressions are slower.
    return not (ending := ending_of(name)) or ending in _ENDINGS or ("file" in name and _is_known(name))


def read_places(text: str, name: str) -> Iterator[Place]:
    """Yield the commands that sign in to a registry, or set its status back."""
    if language := _language_of(name, text):
        name = f"{name}.{language}"
    is_program = name.lower().endswith(_PROGRAM_ENDINGS) or bool(_JENKINSFILE.search(name))
    if not (is_program or _is_script(name, text) or _MAKES.search(name) or is_dockerfile(name)):
        return  # a name that says nothing, and no script
    text = text.replace("\r\n", "\n").replace("\r", " ")
    version = find_cli_version(text)
    for call in _calls(text, name):
        yield from judge_call(call, text, version)
    yield from find_exchanges(text)
    if is_program:
        for match in _JENKINS_REGISTRY.finditer(text):
            if is_registry_host(match[2]) or ("$" in match[2] and seems_registry_name(match[2])):
                yield Place(lines_of(text)(match.start(2)), "jenkins-docker-registry", find_login_server(match[2]))


def _is_known(name: str) -> bool:
    return bool(_MAKES.search(name) or _JENKINSFILE.search(name)) or is_dockerfile(name)


def _language_of(name: str, text: str) -> str | None:
    """Return the ending of programs for a file whose first line names what runs it, and whose name does not say it."""
    if _is_known(name.lower()) or ending_of(name.lower()) in _ENDINGS or not (match := _INTERPRETER.match(text)):
        return None
    return _LANGUAGES.get(match[1], "js")


def _is_script(name: str, text: str) -> bool:
    return name.lower().endswith(_SCRIPTS) or bool(_MAKES.search(name) or _SHEBANG.match(text))


def _calls(text: str, name: str) -> Iterator[Call]:
    if _MAKES.search(name):
        plain = text.replace("$$", " $")
        yield from find_calls(plain, lines_of(text), MAKE)
    elif _is_script(name, text):
        yield from find_calls(text, lines_of(text), guess_dialect(name, text))
    elif is_dockerfile(name):
        yield from find_calls(re.sub(r"(?im)^( *)run ", r"\1    ", text), lines_of(text), POSIX)
    else:
        yield from find_string_calls(text, name)
