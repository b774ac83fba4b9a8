import io
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.cli.core.azclierror import FileOperationError
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.consumers.code import scan
from azext_acrscope.consumers.code.formats import READERS
from azext_acrscope.consumers.code.patterns import known_patterns
from azext_acrscope.consumers.code.place import Place
from azext_acrscope.consumers.code.scan import SourceFindings
from azext_acrscope.consumers.knowledge import load_knowledge
from tests.factories.source import MarkReader, known_marks, make_hostile, write_tree

HOST, OTHER = "contoso.azurecr.io", "fabrikam.azurecr.io"


def find(*paths: Path, named: set[str] | None = None, readers: Iterable[Any] = (MarkReader(),)) -> SourceFindings:
    return scan.scan_sources([str(each) for each in paths], known_marks(), named, readers)


def places(found: SourceFindings) -> list[tuple[str, int, str | None, str]]:
    return [(row["file"], row["line"], row["registry"], row["verdict"]) for row in found.code]


def test_a_row_says_where_and_what_and_nothing_of_the_line(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a/build.yml": f"on: push\r\nPASSWORD=hunter2 sign-in breaks at {HOST}\r\n"})
    found = find(tmp_path)
    assert found.code == [
        {
            "file": "a/build.yml",
            "line": 2,
            "registry": HOST,
            "kind": "mark that breaks",
            "verdict": "breaks",
            "why": "It breaks.",
            "source": "A page <https://example.com/page>",
            "sourceDate": "2026-11-27",
            "fix": "Fix it.",
        }
    ]
    assert "hunter2" not in repr(found)


def test_what_sets_the_status_back_stands_apart_explicit_first(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.tf": "sign-in weakens", "b.tf": f"sign-in enables at {HOST}"})
    found = find(tmp_path)
    assert not found.code
    assert [(row["file"], row["strength"]) for row in found.turns_back_on] == [
        ("b.tf", "explicit"),
        ("a.tf", "omitted"),
    ]
    assert set(found.turns_back_on[0]) == {"file", "line", "registry", "strength", "why", "fix"}


def test_the_version_decides_where_it_is_known(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {"a": f"sign-in unknown at {HOST} with 2.90.0\nsign-in unknown at {HOST} with 2.45\nsign-in unknown"}
    )
    assert sorted(each[1:] for each in places(find(tmp_path))) == [
        (1, HOST, "works"),
        (2, HOST, "unknown"),
        (3, None, "unknown"),
    ]


def test_without_a_version_the_reason_says_which_versions_do_what(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a": "sign-in unknown\nsign-in unknown with 2.90.0"})
    reasons = {row["line"]: row["why"] for row in find(tmp_path).code}
    assert reasons == {1: "It unknown. By version: 2.82 and newer: works.", 2: "It is new."}


def test_a_file_beyond_the_limits_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azext_acrscope.consumers.code.languages.shell.MAX_TOKENS", 5000)
    write_tree(tmp_path, {"a.sh": "az acr login -n contoso\n" + "a\n" * 5000, "b.sh": "az acr login -n contoso"})
    found = scan.scan_sources([str(tmp_path)], known_patterns.load_patterns(load_knowledge()), None, READERS)
    assert [row["file"] for row in found.code] == ["a.sh", "b.sh"]
    assert found.incomplete == [
        "1 file was read only in part, and who signs in in the rest is unknown: a.sh:2497 (it holds too much, or too "
        "much within each other)."
    ]


def test_what_breaks_is_first_and_what_names_a_registry_before_what_does_not(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a": "sign-in breaks\nsign-in works", "b": f"sign-in unknown\nsign-in breaks at {HOST}"})
    assert [each[:2] + each[3:] for each in places(find(tmp_path))] == [
        ("b", 2, "breaks"),
        ("a", 1, "breaks"),
        ("b", 1, "unknown"),
        ("a", 2, "works"),
    ]


def test_of_named_registries_other_ones_are_counted_and_unnamed_ones_stay(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "a": f"sign-in breaks at {HOST}\nsign-in breaks at {OTHER}\nsign-in breaks\n"
            "sign-in breaks at contoso.westeurope.geo.azurecr.io\nsign-in breaks at contoso.azurecr.cn\n"
            f"sign-in enables at {OTHER}"
        },
    )
    found = find(tmp_path, named={"Contoso.azurecr.io"})
    assert [row["registry"] for row in found.code] == [HOST, "contoso.westeurope.geo.azurecr.io", None]
    assert not found.turns_back_on
    assert found.summary["otherRegistries"] == 3
    assert find(tmp_path).summary["otherRegistries"] == 0


def test_two_readers_that_see_the_same_place_make_one_row(tmp_path: Path) -> None:
    class Vague(MarkReader):
        def read_places(self, text: str, name: str) -> Iterable[Place]:
            return [Place(each.line, each.pattern) for each in super().read_places(text, name)]

    write_tree(tmp_path, {"a": f"sign-in breaks at {HOST}\nsign-in breaks at {HOST} and sign-in breaks at {OTHER}"})
    found = find(tmp_path, readers=(Vague(), MarkReader(), Vague()))
    assert places(found) == [("a", 1, HOST, "breaks"), ("a", 2, HOST, "breaks"), ("a", 2, OTHER, "breaks")]


class SeveralJobsReader(MarkReader):
    """Reads each line as one that several jobs run, of which some have the registry from elsewhere."""

    def read_places(self, text: str, name: str) -> Iterable[Place]:
        for place in super().read_places(text, name):
            yield from (place, replace(place, registry=None, is_one_of_several=True))


def test_where_some_jobs_name_a_registry_the_others_are_found_as_well(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.yml": f"sign-in breaks at {HOST} with 2.40\n"})
    both = [("a.yml", 1, HOST, "breaks"), ("a.yml", 1, None, "breaks")]
    for readers in [(SeveralJobsReader(),), (MarkReader(), SeveralJobsReader()), (SeveralJobsReader(), MarkReader())]:
        assert places(find(tmp_path, readers=readers)) == both
    assert places(find(tmp_path, named={OTHER}, readers=(SeveralJobsReader(),))) == both[1:]


@pytest.mark.parametrize("versions", [("2.90", "2.9"), ("2.9", "2.90")])
def test_of_several_versions_that_run_a_line_the_oldest_is_told(tmp_path: Path, versions: tuple[str, str]) -> None:
    line = " ".join(f"sign-in unknown at {HOST} with {version}" for version in versions)
    write_tree(tmp_path, {"a.yml": f"{line} sign-in unknown at {HOST}\n"})
    assert places(find(tmp_path)) == [("a.yml", 1, HOST, "unknown")]


def test_a_reader_that_fails_costs_one_file_and_is_said(tmp_path: Path) -> None:
    class Fails(MarkReader):
        def read_places(self, text: str, name: str) -> Iterable[Place]:
            yield Place(1, "works")
            if "bad" in name:
                raise RecursionError

    write_tree(tmp_path, {"bad.yml": "sign-in breaks", "good.yml": "sign-in breaks"})
    found = find(tmp_path, readers=(Fails(), MarkReader()))
    assert {("bad.yml", 1, None, "breaks"), ("good.yml", 1, None, "works")} <= set(places(found))
    assert found.incomplete == [
        "1 file was read only in part, and who signs in in the rest is unknown: bad.yml (it was not understood)."
    ]


def test_a_pattern_that_nobody_knows_is_said(tmp_path: Path) -> None:
    class Stranger(MarkReader):
        def read_places(self, text: str, name: str) -> Iterable[Place]:
            return [Place(1, "stranger")]

    write_tree(tmp_path, {"a": "sign-in"})
    assert "not understood" in find(tmp_path, readers=(Stranger(),)).incomplete[0]


def test_numbers_are_bounded_and_what_is_cut_off_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_PLACES_OF_FILE", 10)
    monkeypatch.setattr(scan, "MAX_ROWS", 25)
    write_tree(tmp_path, {f"{number}": "sign-in breaks\n" * 40 for number in range(9)})
    found = find(tmp_path)
    assert len(found.code) == 25
    assert found.summary["filesRead"] < 9
    assert "more than 10 places" in found.incomplete[0]
    assert "more than 25 places in code" in found.incomplete[1]


def test_nothing_to_read_is_not_clean(tmp_path: Path) -> None:
    write_tree(tmp_path, {"node_modules/a": "sign-in breaks"})
    found = find(tmp_path)
    assert found.incomplete == ["No file of the source could be searched, so nothing is known about it."]
    assert found.summary["leftOut"] == {"node_modules": 1}


def test_the_summary_counts_what_was_read_and_what_was_not(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a": "text", "b": b"\0", "d.txt": "sign-in works", ".git/x": "", "c": "sign-in works"})
    assert find(tmp_path).summary == {
        "folders": [str(tmp_path)],
        "filesRead": 2,
        "readInPart": 0,
        "skipped": {"binary": 1, "large": 0, "links": 0, "special": 0, "otherFormats": 1, "unreadable": 0},
        "leftOut": {".git": 1},
        "otherRegistries": 0,
    }


def test_a_file_in_two_folders_is_read_once(tmp_path: Path) -> None:
    write_tree(tmp_path, {"app/a": "sign-in breaks"})
    assert len(find(tmp_path, tmp_path / "app", tmp_path / "app/a").code) == 1


def test_lines_of_what_is_piped_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "a: b\n---\nc: sign-in breaks\n---\n# nothing\n---\nd: e\nf: sign-in works\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    write_tree(tmp_path, {"a": "sign-in unknown"})
    found = scan.scan_sources([str(tmp_path), "-"], known_marks(), None, (MarkReader(),))
    assert {each[:2] for each in places(found)} == {("a", 1), ("stdin", 3), ("stdin", 8)}
    assert found.summary["folders"] == [str(tmp_path), "-"]


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileOperationError):
        find(tmp_path / "nowhere")


def test_a_hostile_tree_gives_what_is_in_it_and_nothing_of_elsewhere(tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", {"secret.yml": "sign-in breaks"})
    make_hostile(tmp_path / "tree", outside)
    patterns = known_patterns.load_patterns(load_knowledge())
    for found in (
        find(tmp_path / "tree"),
        scan.scan_sources([str(tmp_path / "tree")], patterns, None, READERS),
    ):
        assert not any("secret" in row["file"] for row in found.code)
        assert all(row["file"].isprintable() for row in found.code)
        assert any("large.yml" in each for each in found.incomplete)
        repr(found).encode()


@given(st.lists(st.text(st.sampled_from("sign-in breaksworkt \n\r\0é\ud800"), max_size=200), max_size=3))
def test_any_text_gives_rows_with_lines_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    write_tree(folder, {str(number): text.encode("utf-8", "surrogatepass") for number, text in enumerate(texts)})
    for row in find(folder).code:
        assert 1 <= row["line"] <= texts[int(row["file"])].count("\n") + 1


def test_rows_are_found_for_a_registry_by_its_name_a_region_or_without_its_hash(tmp_path: Path) -> None:
    tree = {"a.yml": "sign-in breaks at contoso.azurecr.io", "b.yml": "sign-in enables at fabrikam.azurecr.io"}
    found = find(write_tree(tmp_path, tree))
    code, turns_back_on = found.rows_of("contoso-d2f3a4b5c6d7e8f9.azurecr.io")
    assert ([row["file"] for row in code], turns_back_on) == (["a.yml"], [])
    assert [row["file"] for row in found.rows_of("fabrikam.azurecr.io")[1]] == ["b.yml"]
    assert found.rows_of("") == found.rows_of("northwind.azurecr.io") == ([], [])


def test_what_a_command_without_a_source_loads_has_no_reader_in_it() -> None:
    script = (
        "import sys, azext_acrscope.enforcement.preflight, azext_acrscope.report.gather\n"
        "print([name for name in sys.modules if 'consumers.code.readers' in name])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_registries_of_container_apps_in_parameters_of_bicep_are_found(tmp_path: Path) -> None:
    registries = "[\n  {\n    server: 'contoso.azurecr.io'\n    identity: 'system'\n  }\n]"
    write_tree(tmp_path, {"main.bicepparam": f"using 'main.bicep'\nparam registries = {registries}\n"})
    found = scan.scan_sources([str(tmp_path)], known_patterns.load_patterns(load_knowledge()), None, READERS)
    assert [(row["registry"], row["verdict"]) for row in found.code] == [("contoso.azurecr.io", "breaks")]
