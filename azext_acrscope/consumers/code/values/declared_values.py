"""Put into texts what the YAML around them declares: variables, defaults of parameters, the values of a matrix."""

import re
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

from azext_acrscope.consumers.code.languages.scripts import Call
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence
from azext_acrscope.consumers.code.limits import TOO_MUCH, BeyondLimitsError, note_cut, spend_on_runs
from azext_acrscope.consumers.code.patterns.registry_words import seems_registry_name
from azext_acrscope.consumers.code.values.callers import given_by_caller
from azext_acrscope.consumers.code.values.conditional_values import (
    MAX_LENGTH,
    Lists,
    branches_in,
    declarations,
    is_conditional,
    lists_in,
    loop_of,
    names_group,
)
from azext_acrscope.consumers.code.values.matrices import (
    EACH,
    MAX_RUNS,
    NONE,
    Outer,
    Runs,
    multiply,
    read_alternatives,
    read_choices,
    read_matrix,
)

# What is put in before a script runs; the others are what a shell may give a value of its own.
_NAME_OF = re.compile(
    r"\$\{\{\s*(?:(?:github\.event\.)?(?P<space>inputs|parameters|matrix)\.(?P<spaced>[\w.-]+)"
    r"|(?:env|variables)\.(?P<env>[\w.-]+)|variables\['(?P<quoted>[\w.-]+)'\]"
    r"|(?P<loop>[A-Za-z_]\w*(?:\.\w+)?))\s*\}\}"
    r"|\$\[\s*variables(?:\['(?P<runtime>[\w.-]+)'\]|\.(?P<dotted>[\w.-]+))\s*\]|\$\((?P<macro>[\w.-]+)\)"
    r"|\$\[\[\s*inputs\.(?P<gitlab>[\w-]+)\s*(?:\|\s*expand_vars\s*)?\]\]|\$\{(?P<braced>\w+)\}"
    r"|\$(?:[Ee]nv:)?(?P<shell>\w+)|%(?P<batch>\w+)%",
    re.ASCII,
)
_OF_SHELL = frozenset(("braced", "shell", "batch"))
_ASSIGNED = re.compile(r"(?<!\w)(\w+)\s?=", re.ASCII)  # from the beginning of a word, else long words cost their square
_NOT_PLAIN = re.compile(r"[$%{(]")
_DECLARES = frozenset(("env", "variables", "strategy", "parallel", "<<"))
_MAX_FILLED_IN = 100_000  # texts of a file, each as often as it is run: a few seconds; real files have a hundredth
_MAX_DEPTH = 20  # of names in values of names
_FEW_LAYERS = 4  # of matrices within each other, which cost no more than one; each so many more cost as much again


class _Work:
    """Bound how many texts of a file are filled in: each may be in as many runs as a matrix has."""

    def __init__(self) -> None:
        self._left = 0
        self.renew()

    def renew(self) -> None:
        self._left = _MAX_FILLED_IN

    def spend(self, number: int) -> None:
        self._left -= number
        if self._left < 0:
            raise BeyondLimitsError

    def spend_on_runs(self, number: int) -> None:
        """Bound what all files of a search take because of runs: it grows faster than their texts."""
        self.spend(number)
        spend_on_runs(number)


class Values:  # pylint: disable=too-many-instance-attributes  # what holds, and what was found out of it
    """What is declared at a place of a file, for the texts there.

    :ivar in_group: whether more is in a group of variables of Azure Pipelines, which no file shows.
    """

    def __init__(  # pylint: disable=too-many-positional-arguments
        self,
        plain: ChainMap[str, str],
        matrix: Runs,
        work: _Work,
        lists: Lists | None = None,
        in_group: bool = False,
    ) -> None:
        self.in_group = in_group
        self._plain = plain  # the last of its maps has the defaults of parameters
        self._matrix = matrix
        self._work = work
        self._lists = lists or Lists({})
        self._said: dict[str, str | None] = {}
        self._depth = 0
        self._inner: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._without: Values | None = None

    def __bool__(self) -> bool:
        """Return whether anything is declared."""
        return self.in_group or bool(self._matrix) or any(self._plain.maps)

    @classmethod
    def of_file(cls, root: Node, header: Node | None = None) -> "Values":
        """Return what a file declares for all that is in it: its variables, and what its parameters are by default.

        What its caller gives counts more (see `callers`).

        :param header: the document before it, with the inputs of a file of GitLab.
        """
        if not isinstance(root, Mapping):
            return cls(ChainMap(), NONE, _Work())
        given = dict(given_by_caller())
        defaults = {name: text for name, text in _defaults_in(root, header) if name not in given}
        choices = {name: texts for name, texts in _choices_in(root) if name not in given}
        lists = Lists({name: node for name, node in lists_in(root).items() if f"parameters.{name}" not in given})
        return cls(ChainMap(given, defaults), read_choices(choices), _Work(), lists).inside(root)

    def begin_again(self) -> None:
        """Let another reader, or that of a file with the same text, fill in as much as the first."""
        self._work.renew()

    def inside(self, node: Mapping) -> "Values":
        """Return what holds in a node, which may declare more."""
        if not any(key is not None and key.text in _DECLARES for key, _ in node.entries):
            return self
        variables = node.get("variables")
        outer = self._behind([name for name, _ in declarations(variables)]) if self._matrix else self
        inner = outer.with_more([declared_in(node)], read_matrix(node))
        if not inner.in_group and names_group(variables):
            inner = inner.in_a_group()
        branches = branches_in(variables, self._lists, self._work.spend_on_runs)
        return inner.with_branches(branches) if branches else inner

    def in_a_group(self) -> "Values":
        """Return the same where a variable group may say more."""
        return self._made(self._plain, self._matrix, in_group=True)

    def _made(self, plain: ChainMap[str, str], matrix: Runs, in_group: bool = False) -> "Values":
        return Values(plain, matrix, self._work, self._lists, self.in_group or in_group)

    def _behind(self, own: list[str]) -> "Values":
        """Return the same with what is around it behind what a node declares itself."""
        if not any(map(self._matrix.gives, own)):
            return self
        return self._made(self._plain, Outer(self._matrix, (dict.fromkeys(own, ""),)))

    def below(self, key: str) -> "Values":
        """Return what holds below a key, which may be that of a loop."""
        loop = loop_of(key, self._lists, self._work.spend_on_runs) if is_conditional(key) else NONE
        return self.with_more([], loop) if loop else self

    def with_branches(self, branches: list[dict[str, str]]) -> "Values":
        """Return what holds where one of some branches does, or what is declared without them."""
        plain = {name: self._plain[name] for branch in branches for name in branch if name in self._plain}
        return self.with_more([], read_alternatives([*branches, plain], only_named=True))

    def with_more(self, declared: Iterable[dict[str, str]], matrix: Runs = NONE) -> "Values":
        """Return what holds where more is declared, what counts most first."""
        maps = [each for each in declared if each]
        if not maps and not matrix:
            return self
        return self._made(ChainMap(*maps, *self._plain.maps), multiply(self._matrix, matrix))

    def without_defaults(self) -> "Values":
        """Return what holds where callers give the parameters other values; itself where there are none."""
        *declared, defaults = self._plain.maps
        if defaults and self._without is None:
            self._without = self._made(ChainMap(*declared, {}), self._matrix)
        return self if self._without is None else self._without

    def fill_in(self, texts: list[str], assigned: Collection[str]) -> Iterator[tuple[str, ...]]:
        """Yield the texts as they are in each run of the job.

        :raises BeyondLimitsError: too many texts of the file are filled in.
        """
        self._work.spend(len(texts))
        plain = tuple(_put(text, self._say, assigned) for text in texts)
        names = [name for text in plain for name in _names_in(text) if self._matrix.gives(name)]
        if not names:
            yield plain
            return
        asked = self._with_inner(tuple(dict.fromkeys(names)))
        weight = 1 + self._matrix.layers // _FEW_LAYERS
        for run in self._matrix.runs(asked):
            self._work.spend_on_runs(max(len(texts), len(asked)) * weight)
            say = partial(self._say_in, run)
            yield tuple(_put(text, say, assigned) for text in plain)

    def _with_inner(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return names of the matrix with those that stand in its values for them."""
        if names not in self._inner:
            found = dict.fromkeys(names)
            weight = 1 + self._matrix.layers // _FEW_LAYERS
            for run in self._matrix.runs(names):
                self._work.spend_on_runs(len(names) * weight)
                inner = (each for text in run.values() if "$" in text for each in _names_in(text))
                found.update(dict.fromkeys(filter(self._matrix.gives, inner)))
            self._inner[names] = tuple(found)
        return self._inner[names]

    def _say(self, name: str) -> str | None:
        """Return what a name says, names in it put in except those of the matrix; None if it says less than the name.

        A name such as ACR_SERVER says more than a value that is a name of something else, or nothing.
        """
        if self._matrix.gives(name):
            return None
        if name not in self._said and self._depth == _MAX_DEPTH:
            note_cut(TOO_MUCH)
        elif name not in self._said:
            self._said[name] = None  # where it names itself
            self._depth += 1
            value = _put(self._plain.get(name, ""), self._say, ())
            self._depth -= 1
            differs = any(self._matrix.gives(each) for each in _names_in(value))
            self._said[name] = value if value and (differs or not _says_less(value)) else None
        return self._said.get(name)

    def _say_in(self, run: dict[str, str], name: str) -> str | None:
        """Return what a name says in a run, which may leave it as it is declared around the job."""

        def say(inner: str) -> str | None:
            is_of_run = inner != name and self._matrix.gives(inner)
            return run.get(inner, self._plain.get(inner)) if is_of_run else self._say(inner)

        value = _put(run.get(name, self._plain.get(name, ""))[:MAX_LENGTH], say, ())
        return value if value and not _says_less(value) else None


def _says_less(value: str) -> bool:
    return bool(_NOT_PLAIN.search(value)) and not seems_registry_name(value)


def _name_of(match: re.Match[str]) -> str:
    name = match[match.lastgroup or 0]
    if match["loop"]:
        return EACH + name
    space = "inputs" if match["gitlab"] else match["space"]
    return f"{space}.{name}" if space else name


def _names_in(text: str) -> Iterator[str]:
    return map(_name_of, _NAME_OF.finditer(text))


def _put(text: str, say: Callable[[str], str | None], assigned: Collection[str]) -> str:
    """Return a text with what names say in their place."""

    def said(match: re.Match[str]) -> str:
        name = _name_of(match)
        value = None if name in assigned and match.lastgroup in _OF_SHELL else say(name)
        return match[0] if value is None else value

    if "$" not in text and "%" not in text:
        return text
    filled = _NAME_OF.sub(said, text)
    return filled if len(filled) <= MAX_LENGTH else text


def declared_in(node: Mapping) -> dict[str, str]:
    """Return the values that a node declares for what is in it."""
    return {name: value.text for key in ("env", "variables") for name, value in declarations(node.get(key))}


def with_headers(roots: Iterable[Node]) -> Iterator[tuple[Node, Node | None]]:
    """Yield the documents of a file, each with the one before it if that is a header of GitLab: it is not yielded."""
    header: Node | None = None
    for root in roots:
        is_header = isinstance(root, Mapping) and len(root.entries) == 1 and root.get("spec", "inputs") is not None
        if is_header and header is not None:
            yield header, None
        if not is_header:
            yield root, header
        header = root if is_header else None
    if header is not None:
        yield header, None  # it is of no file of GitLab, which has something behind it


def _defaults_in(root: Mapping, header: Node | None) -> Iterator[tuple[str, str]]:
    """Yield the defaults of inputs of workflows, actions and GitLab's files, and of parameters of Azure Pipelines."""
    declared = [root.get("on", trigger, "inputs") for trigger in ("workflow_call", "workflow_dispatch")]
    declared.append(header.get("spec", "inputs") if isinstance(header, Mapping) else None)
    for inputs in (root.get("inputs"), *declared):
        for key, value in inputs.items() if isinstance(inputs, Mapping) else ():
            if isinstance(value, Mapping) and (default := value.text("default")):
                yield f"inputs.{key.text}", default[:MAX_LENGTH]
    parameters = root.get("parameters")
    if isinstance(parameters, Mapping):
        entries = [(key.text, value.text) for key, value in parameters.items() if isinstance(value, Scalar)]
    else:
        listed = parameters.items if isinstance(parameters, Sequence) else []
        entries = [(each.text("name"), each.text("default")) for each in listed if isinstance(each, Mapping)]
    for name, default in entries:
        yield f"parameters.{name}", default[:MAX_LENGTH]


def _choices_in(root: Mapping) -> Iterator[tuple[str, list[str]]]:
    """Yield the parameters of Azure Pipelines that have one of some values."""
    parameters = root.get("parameters")
    for each in parameters.items if isinstance(parameters, Sequence) else ():
        values = each.get("values") if isinstance(each, Mapping) else None
        if isinstance(each, Mapping) and isinstance(values, Sequence):
            texts = [value.text[:MAX_LENGTH] for value in values.items[: MAX_RUNS + 1] if isinstance(value, Scalar)]
            yield f"parameters.{each.text('name')}", texts


def walk_with_values(node: Node, values: Values) -> Iterator[tuple[Mapping, Values]]:
    """Yield the mappings in a node, each once and in the order of the file, with what holds in it."""
    waiting = [(node, values)]
    seen: set[int] = set()
    while waiting:
        node, values = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            values = values.inside(node)
            yield node, values
            waiting += [(below, _below(values, key)) for key, below in reversed(node.entries)]
        elif isinstance(node, Sequence):
            waiting += [(below, values) for below in reversed(node.items)]


def _below(values: Values, key: Scalar | None) -> Values:
    return values if key is None else values.below(key.text)


def assigned_in(script: str) -> frozenset[str]:
    """Return the names that a script gives values of its own."""
    return frozenset(_ASSIGNED.findall(script))


def in_each_run(text: str, *scopes: Values) -> list[str]:
    """Return what a text is in the runs of jobs: once, if none of its names says anything.

    :param scopes: what is declared for it, in each of the jobs that have it.
    """
    return [filled for (filled,) in _fill_in([text[:MAX_LENGTH]], scopes, ())]


def in_each_run_together(texts: list[str], values: Values) -> list[tuple[str, ...]]:
    """Return what several texts are in the runs of a job, those of one run together."""
    return _fill_in([text[:MAX_LENGTH] for text in texts], [values], ())


def close_names(text: str) -> str:
    """Return a value for another file, in which the names in it would say something else."""
    closed = _NAME_OF.sub(lambda match: f"${{{{ caller.{_name_of(match)} }}}}", text)
    return closed if len(closed) <= MAX_LENGTH else ""


def fill_in(call: Call, scopes: Iterable[Values], assigned: frozenset[str]) -> list[Call]:
    """Return a command with the values in place of their names, as it is in each run; names stay that say more.

    :param assigned: names that the script itself gives values.
    """
    places = [index for index, word in enumerate(call.words) if index and _may_be_filled_in(word.text)]
    if not places:
        return [call]
    calls = []
    for texts in _fill_in([call.words[index].text for index in places], scopes, assigned):
        words = list(call.words)
        for index, text in zip(places, texts, strict=True):
            words[index] = replace(words[index], text=text)
        calls.append(Call(words, call.line_at))
    return calls


def _may_be_filled_in(word: str) -> bool:
    is_value = word[:1] != "-" or "=" in word
    return is_value and ("$" in word or "%" in word) and len(word) <= MAX_LENGTH


def _fill_in(texts: list[str], scopes: Iterable[Values], assigned: Collection[str]) -> list[tuple[str, ...]]:
    found: dict[tuple[str, ...], None] = {}
    for filled in chain.from_iterable(values.fill_in(texts, assigned) for values in scopes):
        found[filled] = None
        if len(found) > MAX_RUNS:
            note_cut(TOO_MUCH)
            break
    return list(found)
