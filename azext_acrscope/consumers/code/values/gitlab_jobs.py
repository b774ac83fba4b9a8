"""Find which jobs of GitLab CI run a script or an image: that extend its job, refer to it, or take it as a default.

A script is read where it is written, once, with what each of those jobs declares. What another file adds is not known.
Merged as GitLab does: https://docs.gitlab.com/ci/yaml/#extends and /ci/yaml/yaml_optimization/, read 2026-11-28.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Reference, Scalar, Sequence, walk
from azext_acrscope.consumers.code.limits import TOO_MUCH, note_cut
from azext_acrscope.consumers.code.values.callers import Given, given_by_caller
from azext_acrscope.consumers.code.values.conditional_values import declarations
from azext_acrscope.consumers.code.values.declared_values import Values
from azext_acrscope.consumers.code.values.matrices import (
    MAX_RUNS,
    Matrix,
    Outer,
    multiply,
    read_alternatives,
    read_parallel,
)

_SCRIPTS = ("before_script", "script", "after_script")
_NO_JOBS = frozenset(("cache", "default", "image", "include", "services", "spec", "stages", "variables", "workflow"))
_MAX_LEVELS = 11  # of `extends`, which GitLab refuses beyond
_MAX_REFERENCES = 10  # of references to references, likewise
_MAX_REFERRING = 1000  # scripts that one is part of
_MAX_INHERITED = 100  # names that a job lists
_MAX_RULES = 200  # of a job, those that it refers to among them
_MAX_DECLARED = 200_000  # variables of rules, and those that jobs do not inherit; real files have a hundredth
_MAX_ANCESTORS = 100  # jobs that a job extends, and those that these extend


class Run(NamedTuple):
    """A job that runs a script.

    :ivar image: in which it runs; empty if the file does not say it.
    """

    values: Values
    image: str


_Used = dict[int, dict[Run, None]]  # which jobs use a node, by its id


class GitlabJobs:  # pylint: disable=too-many-instance-attributes  # what was looked up once
    """The jobs of a file."""

    def __init__(self, root: Node, values: Values) -> None:
        """Read the jobs; of a file of another system there are none.

        :param values: what the file declares for all of them.
        """
        self._root = root if isinstance(root, Mapping) else Mapping(1)
        self._values = values
        entries = [(key.text, node) for key, node in self._root.entries if key is not None]
        found = {name: node for name, node in entries if isinstance(node, Mapping) and name not in _NO_JOBS}
        self._jobs = found if any(job.get(key) for job in found.values() for key in _SCRIPTS) else {}
        self._parents = {name: _parents(job) for name, job in self._jobs.items()}
        self._found: dict[tuple[str, tuple[str, ...]], Node | None] = {}  # by job and path
        self._maps: dict[str, list[dict[str, str]]] = {}  # variables by job, what counts most first
        self._made: dict[tuple[int, ...], Values] = {}
        self._declared: dict[int, dict[str, str]] = {}  # by the id of the node below `variables`
        self._kept_out: dict[tuple[str, ...], dict[str, str]] = {}  # by what jobs inherit
        self._left = _MAX_DECLARED
        self._referring: dict[int, list[int]] = {}  # nodes that refer to a node
        self._nodes: dict[int, Node] = {}  # what jobs use, and what that refers to
        self._by_jobs: _Used = {}
        self._by_templates: _Used = {}  # hidden jobs that no job of the file extends: another file may
        self._of_workflow = self._alternatives(self._root.get("workflow", "rules"))
        self._read()

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def runs_of(self, node: Node) -> list[Run]:
        """Return the jobs that use a node; none if no job does as such, or so many that no reader looks at them."""
        if id(node) not in self._nodes:
            return []
        return self._collect(node, self._by_jobs) or self._collect(node, self._by_templates)

    def _collect(self, node: Node, used: _Used) -> list[Run]:
        found, level, seen = dict[Run, None](), [id(node)], {id(node)}
        for _ in range(_MAX_REFERENCES + 1):
            if not level:
                break
            for each in level:
                found.update(islice(used.get(each, {}).items(), MAX_RUNS + 1))
                if len(found) > MAX_RUNS or len(seen) > _MAX_REFERRING:
                    note_cut(TOO_MUCH, node.line)  # it may be in other registries than the text itself says
                    return []
            level = list({each for below in level for each in self._referring.get(below, ())} - seen)
            seen.update(level)
        return list(found)

    def _read(self) -> None:
        nodes = self._nodes
        extended = {parent for parents in self._parents.values() for parent in parents}
        for name in self._jobs:
            is_hidden = name.startswith(".")
            if (is_hidden and name in extended) or self._find(name, "trigger"):
                continue  # it runs no script
            run, used = self._run_of(name), self._by_templates if is_hidden else self._by_jobs
            for node in self._nodes_of(name):
                nodes[id(node)] = node
                used.setdefault(id(node), {})[run] = None
        waiting = list(nodes.values())
        while waiting:
            node = waiting.pop()
            for each in walk(node) if isinstance(node, Sequence) else ():
                if isinstance(each, Reference) and (target := self._resolve(each)) is not None:
                    self._referring.setdefault(id(target), []).append(id(node))
                    if id(target) not in nodes:
                        nodes[id(target)] = target
                        waiting.append(target)

    def _nodes_of(self, name: str) -> Iterator[Node]:
        """Yield the scripts of a job, its image and its services."""
        for key in (*_SCRIPTS, "services"):
            if (node := self._of_job(name, key)) is not None:
                yield node
        if image := self._image_of(name):
            yield image

    def _run_of(self, name: str) -> Run:
        image, values = self._image_of(name), self._values_of(name)
        (first,) = next(values.fill_in([image.text if image else ""], ()))  # of a matrix one image is enough
        return Run(values, first)

    def _image_of(self, name: str) -> Scalar | None:
        for path in (("image",), ("image", "name")):
            if isinstance(node := self._resolve(self._of_job(name, *path)), Scalar):
                return node
        return None

    def _of_job(self, name: str, *path: str) -> Node | None:
        """Return what a job has at a path: of its own, of what it extends, else the default."""
        node = self._find(name, *path)
        if node is None and _inherits(self._find(name, "inherit", "default"), path[0]):
            node = self._root.get("default", *path) or self._root.get(*path)
        return node

    def _find(self, name: str, *path: str, level: int = 0) -> Node | None:
        """Return what a job has at a path: of its own, or of the last that has it of those that it extends."""
        if name in self._jobs and not self._parents[name]:
            return self._jobs[name].get(*path)
        if (name, path) not in self._found and name in self._jobs and level <= _MAX_LEVELS:
            self._found[name, path] = None  # where it extends itself
            node = self._jobs[name].get(*path)
            for parent in reversed(self._parents[name] if node is None else []):
                if (node := self._find(parent, *path, level=level + 1)) is not None:
                    break
            self._found[name, path] = node
        return self._found.get((name, path))

    def _values_of(self, name: str) -> Values:
        maps, matrix = self._declared_by(name), self._find(name, "parallel", "matrix")
        inherit = self._find(name, "inherit", "variables")
        rules = self._resolve(self._find(name, "rules"))
        key = (id(maps), id(matrix), id(inherit), id(rules))
        if key not in self._made:  # jobs that declare nothing of their own are the same
            if inherit is not None:
                maps = [*maps, self._kept_out_by(inherit)]
            of_workflow = Outer(self._of_workflow, tuple(maps)) if self._of_workflow else self._of_workflow
            runs = multiply(of_workflow, read_parallel(matrix), self._alternatives(rules))
            self._made[key] = self._values.with_more(maps, runs)
        return self._made[key]

    def _kept_out_by(self, inherit: Node) -> dict[str, str]:
        """Return nothing for each variable of the file that a job does not inherit."""
        listed = inherit.items[:_MAX_INHERITED] if isinstance(inherit, Sequence) else [inherit]
        key = (type(inherit).__name__, *(each.text for each in listed if isinstance(each, Scalar)))
        if key not in self._kept_out:  # most jobs that say it say the same
            of_file = self._declared_in(self._root)
            has_room = self._has_room_for(len(of_file), inherit)
            self._kept_out[key] = {name: "" for name in of_file if has_room and not _inherits(inherit, name)}
        return self._kept_out[key]

    def _has_room_for(self, number: int, node: Node | None) -> bool:
        """Bound how many variables are kept for jobs, each of which may have all those of others."""
        self._left -= number
        if self._left < 0:
            note_cut(TOO_MUCH, node.line if node is not None else None)
        return self._left >= 0

    def _alternatives(self, rules: Node | None) -> Matrix:
        """Return the variables of each rule that lets a job run: one of them does."""
        found, waiting = list[dict[str, str]](), [(self._resolve(rules), 0)]
        seen = 0
        while waiting and (seen := seen + 1) <= _MAX_RULES:
            node, level = waiting.pop()
            if isinstance(node, Sequence):
                if level > _MAX_REFERENCES:
                    waiting.append((node, level))
                    break
                waiting += [(self._resolve(each), level + 1) for each in reversed(node.items[:_MAX_RULES])]
            elif isinstance(node, Mapping) and node.text("when") != "never":
                found.append(self._declared_in(node))
        if waiting:
            note_cut(TOO_MUCH, rules.line if rules is not None else None)
        return read_alternatives(found if self._has_room_for(sum(map(len, found)), rules) else [])

    def _declared_by(self, name: str, level: int = 0) -> list[dict[str, str]]:
        """Return the variables of a job and of those that it extends."""
        if name not in self._maps and name in self._jobs and level <= _MAX_LEVELS:
            self._maps[name] = []  # where it extends itself
            own = self._declared_in(self._jobs[name])
            maps = [self._declared_by(parent, level + 1) for parent in reversed(self._parents[name])]
            if len(maps) == 1 and not own:
                self._maps[name] = maps[0]
            else:
                all_maps = {id(each): each for each in chain([own] if own else [], *maps)}
                self._maps[name] = list(islice(all_maps.values(), _MAX_ANCESTORS))
        return self._maps.get(name, [])

    def _declared_in(self, job: Mapping) -> dict[str, str]:
        listed = self._resolve(job.get("variables"))
        if listed is not None and id(listed) in self._declared:  # many jobs may refer to the same ones
            return self._declared[id(listed)]
        found = dict(self._said_in(listed))
        if listed is not None:
            self._declared[id(listed)] = found
        return found

    def _said_in(self, listed: Node | None) -> Iterator[tuple[str, str]]:
        if isinstance(listed, Mapping):
            entries = [(key, self._resolve(value) or value) for key, value in listed.items()]
            listed = Mapping(listed.line, entries)  # type: ignore[arg-type]
        return ((name, value.text) for name, value in declarations(listed))

    def _resolve(self, node: Node | None) -> Node | None:
        """Return what a reference refers to; a node that is none as it is; None for a reference to nothing."""
        for _ in range(_MAX_REFERENCES):
            if not isinstance(node, Reference):
                return node
            name, *path = [each.text for each in node.items[:_MAX_REFERENCES] if isinstance(each, Scalar)] or [""]
            node = self._find(name, *path) if name in self._jobs and path else self._root.get(name, *path)
        return None


def read_jobs(root: Node, header: Node | None) -> tuple[Values, GitlabJobs]:
    """Return what a file declares for all that is in it, and its jobs.

    :param header: the document before it, with its inputs.
    """
    values, jobs = _read_jobs(root, header, given_by_caller())
    values.begin_again()
    return values, jobs


@lru_cache(maxsize=1)  # several readers read the same file, one after the other
def _read_jobs(root: Node, header: Node | None, _given: Given) -> tuple[Values, GitlabJobs]:
    values = Values.of_file(root, header)
    return values, GitlabJobs(root, values)


def _parents(job: Mapping) -> list[str]:
    extends = job.get("extends")
    listed = extends.items if isinstance(extends, Sequence) else [extends]
    return [each.text for each in listed[:_MAX_ANCESTORS] if isinstance(each, Scalar)]


def _inherits(inherit: Node | None, name: str) -> bool:
    """Return whether `inherit` lets a job have a default, or a variable of the whole file."""
    if isinstance(inherit, Sequence):
        return any(isinstance(each, Scalar) and each.text == name for each in inherit.items[:_MAX_INHERITED])
    return not isinstance(inherit, Scalar) or inherit.text.lower() != "false"
