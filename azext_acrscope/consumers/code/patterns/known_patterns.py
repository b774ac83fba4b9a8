"""What is known of the places in code: the JSON files beside it, checked as a whole.

The form of each: ``sources`` (key → ``title``, ``url``, ``read``: an ISO date) and ``patterns`` (name → ``kind``,
``verdict``, ``why``, ``source``: a key of these or of the knowledge's sources, ``fix``, and perhaps ``versions``; a
pattern with ``turnsBackOn`` has ``strength`` in place of ``verdict``, and needs no source). ``example`` and
``counterExample`` are for the tests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from azext_acrscope.base.foreign_json import is_filled_text
from azext_acrscope.consumers.code import errors
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.knowledge import VERDICTS, Knowledge, describe_source, find_source_fault
from azext_acrscope.consumers.versions import find_versions_fault, judge_version, reason_with_versions

EXPLICIT, DEFAULT, OMITTED = STRENGTHS = ("explicit", "default", "omitted")
TURNS_BACK_ON = "turns back on"  # as a kind, for what has none of its own
_IN_GROUP_WHY = "The file leaves the name of the registry to a variable, perhaps one of a variable group."
_IN_GROUP_FIX = "Look the name up in the pipeline's variable groups, in Azure DevOps under Pipelines, Library."
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class KnownPatterns:
    """Checked patterns by name, and the sources that they name."""

    patterns: dict[str, dict[str, Any]]
    sources: dict[str, dict[str, str]]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Return all that is looked for."""
        return frozenset({TURNS_BACK_ON, *(pattern["kind"] for pattern in self.patterns.values())})

    def turns_back_on(self, place: Place) -> bool:
        """Return whether a place sets the status back to `enabled`; else it signs in."""
        return bool(self.patterns[place.pattern].get("turnsBackOn"))

    def code_row(self, place: Place, file: str) -> dict[str, Any]:
        """Return ``{file, line, registry, kind, verdict, why, source, sourceDate, fix}`` of a place that signs in."""
        pattern = self.patterns[place.pattern]
        verdict, why = judge_version(pattern, place.version)
        if place.version is None:
            why = reason_with_versions(pattern)
        in_group = place.in_group and place.registry is None
        return {
            "file": file,
            "line": place.line,
            "registry": place.registry,
            "kind": pattern["kind"],
            "verdict": verdict,
            "why": f"{why} {_IN_GROUP_WHY}" if in_group else why,
            **describe_source(self.sources[pattern["source"]]),
            "fix": f"{_IN_GROUP_FIX} {pattern['fix']}" if in_group else pattern["fix"],
        }

    def turns_back_on_row(self, place: Place, file: str) -> dict[str, Any]:
        """Return ``{file, line, registry, strength, why, fix}`` of a place that sets the status back."""
        pattern = self.patterns[place.pattern]
        return {
            "file": file,
            "line": place.line,
            "registry": place.registry,
            "strength": pattern["strength"],
            "why": pattern["why"],
            "fix": pattern["fix"],
        }


def load_patterns(knowledge: Knowledge, folder: Path = _FOLDER) -> KnownPatterns:
    """Return all patterns.

    :raises FileOperationError: a file is not in the form above.
    """
    patterns: dict[str, dict[str, Any]] = {}
    sources = dict(knowledge.content["sources"])
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_bytes())
            own_sources, own_patterns = content["sources"], content["patterns"]
            for key, source in own_sources.items():
                if fault := find_source_fault(source):
                    raise ValueError(f"source {key} {fault}")
            sources |= own_sources
            if twice := patterns.keys() & own_patterns.keys():
                raise ValueError(f"{', '.join(sorted(twice))} is also in another file")
            for name, pattern in own_patterns.items():
                _check_pattern(name, pattern, sources)
            patterns |= own_patterns
        except KeyError as error:
            raise errors.bad_pattern(file.name, f"{error} is missing") from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise errors.bad_pattern(file.name, str(error)) from error
    if not patterns:  # without any, all code would pass for clean
        raise errors.bad_pattern(folder.name, "no pattern is there")
    return KnownPatterns(patterns, sources)


def _check_pattern(name: str, pattern: Mapping[str, Any], sources: Mapping[str, Any]) -> None:
    """:raises ValueError, KeyError, TypeError, AttributeError: it cannot be used."""
    if not all(is_filled_text(pattern[text]) for text in ("kind", "why", "fix")):
        raise ValueError(f"{name} needs kind, why and fix")
    if pattern.get("turnsBackOn"):
        if pattern["strength"] not in STRENGTHS or "verdict" in pattern:
            raise ValueError(f"{name} needs a strength ({', '.join(STRENGTHS)}) and no verdict")
        return
    if pattern["source"] not in sources:
        raise ValueError(f"{name}: there is no source {pattern['source']}")
    if pattern["verdict"] not in VERDICTS:
        raise ValueError(f"{name} needs a verdict ({', '.join(VERDICTS)})")
    if "versions" in pattern and (fault := find_versions_fault(pattern["versions"], VERDICTS)):
        raise ValueError(f"{name}: {fault}")
