"""Read the matrix of a job, as GitHub, GitLab and Azure Pipelines write it, into the values that its runs have."""

from collections import ChainMap
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice, product

from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut

MAX_RUNS = 256  # of a job: GitHub runs 256 at most, GitLab 200
EACH = "each."  # stands before the names of loops of Azure Pipelines
_OF_GITHUB = "matrix."  # stands before its names: `${{ matrix.NAME }}`; those of other systems are variables

# What one entry of a dimension says, by the names in texts: several for `{name: a, host: b}` in a list.
_Choices = list[dict[str, str]]
# Dimensions by key, whose product is run. Several groups, if some runs are not part of the same product.
_Group = AnyMapping[str, _Choices]


@dataclass(frozen=True)
class Matrix:
    """What the runs of a job have that differs between them.

    :ivar groups: of runs; one more than `MAX_RUNS` at most, which stands for many.
    :ivar names: all that a run may give a value.
    :ivar only_named: whether a run that says nothing of the names asked for is none.
    :ivar layers: how many matrices a look at its runs goes through.
    """

    groups: tuple[_Group, ...] = ()
    names: frozenset[str] = frozenset()
    only_named: bool = False
    layers: int = 1

    def __bool__(self) -> bool:
        return bool(self.names)

    def gives(self, name: str) -> bool:
        """Return whether a run may give a name a value."""
        return name in self.names

    def runs(self, names: Iterable[str]) -> Iterator[dict[str, str]]:
        """Yield what some names say in each of the runs; nothing of them, once, if none of them is of the matrix."""
        keys = list(dict.fromkeys(_key_of(name) for name in names if name in self.names))
        known = [[key for key in keys if key in group] for group in self.groups] if keys else [[]]
        # GitHub's lists alone are what is run only if no entry of `include` adds one of the names.
        most = max(map(len, known), default=0)
        enough = most if keys and keys[0].startswith(_OF_GITHUB) else min(most, int(self.only_named))
        products = {
            tuple(id(group[key]) for key in own): [group[key] for key in own]
            for group, own in zip(self.groups or [{}], known, strict=False)
            if len(own) >= enough
        }
        for number, choices in enumerate(chain.from_iterable(product(*each) for each in products.values())):
            if number == MAX_RUNS:
                note_cut(TOO_MUCH)
                return
            yield {name: text for choice in choices for name, text in choice.items()}

    def turns(self) -> Iterator[dict[str, str]]:
        """Yield what all names say in each run."""
        return self.runs(self.names)


@dataclass(frozen=True)
class Product:
    """Matrices each of whose runs goes with each run of the others; what a later one says counts more."""

    factors: tuple["Runs", ...]

    @cached_property
    def layers(self) -> int:
        """Return how many matrices a look at its runs goes through."""
        return sum(each.layers for each in self.factors)

    def gives(self, name: str) -> bool:
        """Return whether a run may give a name a value."""
        return any(each.gives(name) for each in self.factors)

    def runs(self, names: Iterable[str]) -> Iterator[dict[str, str]]:
        """Yield what some names say in each of the runs."""
        asked = list(names)
        runs = [list(each.runs(asked)) for each in self.factors if any(map(each.gives, asked))]
        for number, chosen in enumerate(product(*runs)):
            if number == MAX_RUNS:
                note_cut(TOO_MUCH)
                return
            yield {name: text for run in chosen for name, text in run.items()}


@dataclass(frozen=True)
class Outer:
    """A matrix of what is around a job, which may declare some of the names itself."""

    matrix: "Runs"
    own: tuple[AnyMapping[str, str], ...]

    @cached_property
    def layers(self) -> int:
        """Return how many matrices a look at its runs goes through."""
        return self.matrix.layers + 1

    def gives(self, name: str) -> bool:
        """Return whether a run may give a name a value."""
        return self.matrix.gives(name) and not any(name in each for each in self.own)

    def runs(self, names: Iterable[str]) -> Iterator[dict[str, str]]:
        """Yield what some names say in each of the runs."""
        return self.matrix.runs(filter(self.gives, names))


Runs = Matrix | Product | Outer
NONE = Matrix()


def multiply(*matrices: Runs) -> Runs:
    """Return the product of some matrices, of which those without any names are left out."""
    factors = list(
        chain.from_iterable(each.factors if isinstance(each, Product) else [each] for each in matrices if each)
    )
    return Product(tuple(factors)) if len(factors) > 1 else factors[0] if factors else NONE


def read_choices(choices: AnyMapping[str, list[str]]) -> Matrix:
    """Return the matrix of names that each have one of some values."""
    return _made([{name: [{name: text} for text in texts] for name, texts in choices.items()}])


def read_loop(name: str, listed: Node) -> Matrix:
    """Return the matrix of what the name of a loop says in its turns: an item of a list, or `key` and `value`."""
    key = EACH + name
    if isinstance(listed, Mapping):
        entries = [(each.text, value) for each, value in islice(listed.items(), MAX_RUNS + 1)]
        turns = [{f"{key}.key": text, **_said(f"{key}.value", value)} for text, value in entries]
    else:
        turns = _choices(key, listed)
    return _made([{key: turns}])


def read_alternatives(alternatives: Iterable[dict[str, str]], only_named: bool = False) -> Matrix:
    """Return the matrix of what is declared in one way or another: each is a run."""
    groups = [{name: [{name: text}] for name, text in each.items()} for each in islice(alternatives, MAX_RUNS + 1)]
    return replace(_made(groups), only_named=only_named)  # type: ignore[arg-type]


def _key_of(name: str) -> str:
    """Return the key of the dimension that a name is of: `matrix.registry` of `matrix.registry.host`."""
    return ".".join(name.split(".", 2)[:2]) if name.startswith((_OF_GITHUB, EACH)) else name


def read_matrix(job: Mapping) -> Matrix:
    """Return the matrix of a job of any system, as far as it is there in plain letters."""
    matrix = job.get("strategy", "matrix")
    if not isinstance(matrix, Mapping):
        return read_parallel(job.get("parallel", "matrix"))
    named = [run for _, run in matrix.items() if isinstance(run, Mapping)]  # of Azure Pipelines
    return _made([_group(run, "") for run in named[: MAX_RUNS + 1]] if named else list(_groups_of_github(matrix)))


def read_parallel(matrix: Node | None) -> Matrix:
    """Return a matrix of GitLab, the list below `parallel`."""
    listed = matrix.items[: MAX_RUNS + 1] if isinstance(matrix, Sequence) else []
    return _made([_group(each, "") for each in listed if isinstance(each, Mapping)])


def _made(groups: list[_Group]) -> Matrix:
    names = {name for group in groups for choices in group.values() for each in choices for name in each}
    return Matrix(tuple(groups), frozenset(names)) if names else NONE


def _groups_of_github(matrix: Mapping) -> Iterator[_Group]:
    """Yield the product of the lists, then what each entry of `include` makes of it."""
    lists = Mapping(matrix.line, [each for each in matrix.items() if each[0].text not in ("include", "exclude")])
    all_of_them = _group(lists, _OF_GITHUB)
    if all_of_them:
        yield all_of_them
    include = matrix.get("include")
    for each in include.items[:MAX_RUNS] if isinstance(include, Sequence) else ():
        if isinstance(each, Mapping):
            yield ChainMap(_group(each, _OF_GITHUB), all_of_them)  # type: ignore[arg-type]


def _group(entry: Mapping, prefix: str) -> dict[str, _Choices]:
    found = {prefix + key.text: _choices(prefix + key.text, value) for key, value in entry.items()}
    return {key: choices for key, choices in found.items() if choices}


def _choices(key: str, value: Node) -> _Choices:
    listed = value.items if isinstance(value, Sequence) else [value]
    return [said for each in islice(listed, MAX_RUNS + 1) if (said := _said(key, each))]


def _said(key: str, value: Node) -> dict[str, str]:
    if isinstance(value, Scalar):
        return {key: value.text}
    entries = value.items() if isinstance(value, Mapping) else ()
    return {f"{key}.{name.text}": text.text for name, text in entries if isinstance(text, Scalar)}
