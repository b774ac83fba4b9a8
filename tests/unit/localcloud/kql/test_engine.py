"""The query language of Resource Graph: what is ours around duckdb-kql, and that it refuses what Azure would."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.localcloud.kql import ParserFailure, Table, run

PETS: list[dict[str, Any]] = [
    {"id": "1", "name": "Rex", "kind": "dog", "age": 7, "tags": {"Owner": "ann", "n": 1}, "likes": ["ball", "bone"]},
    {"id": "2", "name": "tom", "kind": "", "age": 3, "tags": {"owner": "bob"}, "likes": []},
    {"id": "3", "name": "Zoë", "kind": "cat", "age": None, "tags": None, "likes": None},
]
OWNERS: list[dict[str, Any]] = [{"owner": "ann", "name": "Ann A."}, {"owner": "ann", "name": "Ann B."}]
TEXTS = dict.fromkeys(("id", "name", "kind", "owner"), "VARCHAR")


def tables(name: str) -> Table | None:
    known = {"resources": PETS, "pets": PETS, "owners": OWNERS, "nothing": []}.get(name)
    return None if known is None else Table(tuple((known or PETS)[0]), known, TEXTS)


def rows(query: str) -> list[dict[str, Any]]:
    return run(query, tables).rows


class TestAnswers:
    def test_values_are_those_of_json(self) -> None:
        assert rows("pets | project id, name, age, tags, likes") == [
            {name: row[name] for name in ("id", "name", "age", "tags", "likes")} for row in PETS
        ]

    def test_a_query_may_begin_with_an_operator(self) -> None:
        assert rows("where age > 3 | project id") == [{"id": "1"}]

    def test_comments_and_lines(self) -> None:
        assert rows("// all; of them\npets\n| where id == '1' // | frob\n| project name") == [{"name": "Rex"}]

    def test_table_names_have_no_case(self) -> None:
        assert len(rows("Pets")) == 3

    def test_a_table_without_rows(self) -> None:
        assert rows("nothing | where name == 'Rex' | project id, tags.Owner") == []

    def test_a_table_may_have_other_columns_the_next_time(self) -> None:
        for columns in (("id", "name"), ("id", "other"), ("id", "name")):
            table = Table(columns, [dict.fromkeys(columns, "x")], dict.fromkeys(columns, "VARCHAR"))
            assert run("pets", lambda _, table=table: table).rows == table.rows  # type: ignore[misc]

    def test_rows_that_have_changed_are_read_anew(self) -> None:
        for name in ("Rex", "Ben", "Rex"):
            table = Table(("id", "name"), [{"id": "1", "name": name}], TEXTS)
            found = run("pets | project id, name", lambda _, table=table: table)  # type: ignore[misc]
            assert found.rows == table.rows
            found.rows[0]["name"] = "changed by who asked"

    def test_a_query_about_the_time_is_answered_anew(self) -> None:
        for year in (2025, 2026):
            now = datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc)
            assert run("pets | take 1 | project year = getyear(now())", tables, now=now).rows == [{"year": year}]

    def test_elements_of_lists_that_are_made(self) -> None:
        query = "pets | mv-expand toy = likes | summarize them = make_list(pack('toy', toy)) by id | order by id asc"
        assert rows(query)[0] == {"id": "1", "them": [{"toy": "ball"}, {"toy": "bone"}]}

    def test_union_and_join(self) -> None:
        assert len(rows("pets | project id | union (owners | project name)")) == 5
        left = "pets | project id, owner = tostring(tags.Owner)"
        found = rows(f"{left} | join kind=inner (owners) on owner | order by name asc")
        assert [(row["id"], row["name"], row["owner1"]) for row in found] == [("1", each, "ann") for each in
                                                                             ("Ann A.", "Ann B.")]  # fmt: skip

    def test_dates_are_of_utc_and_now_is_given(self) -> None:
        now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc)
        logs = Table(("at", "text"), [{"at": now - datetime.timedelta(hours=1), "text": "x"}], {"at": "TIMESTAMP"})
        assert run("logs | where at > ago(2h) | project at", lambda _: logs, now=now).rows == [
            {"at": logs.rows[0]["at"]}
        ]
        assert run("logs | where at > ago(2m)", lambda _: logs, now=now).rows == []

    def test_the_same_query_about_another_name(self) -> None:
        for name, expected in (("rex", "1"), ("TOM", "2"), ('"', ""), ("% _", ""), ("Zoë", "3")):
            for condition in ("=~ '{}'", "in~ ('no one', '{}')", "in~ ('{}')", "contains '{}'", "startswith '{}'"):
                found = rows(f"pets | where name {condition.format(name)} | project id")
                assert "".join(row["id"] for row in found) == expected, condition

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (r"name == 'it\'s' or name == 'Rex'", "1"),
            ("name == \"Rex == 'tom'\" or id == '2'", "2"),
            ("name !in ('Rex', 'tom')", "3"),
            ("name in ('Rex') and ['kind'] == 'dog'", "1"),
            ("tags.Owner == 'ann'", "1"),
            ("extract('^[A-Z]', 0, name) == 'Z'", "3"),
            ("array_length(split(name, 'e')) == 2", "1"),
        ],
    )
    def test_literals_mean_what_they_say(self, condition: str, expected: str) -> None:
        assert "".join(row["id"] for row in rows(f"pets | where {condition} | project id")) == expected


class TestPages:
    def test_a_part_of_the_result_is_what_the_whole_has_there(self) -> None:
        query = "pets | project id, n = tolower(name) | order by n desc"
        whole = run(query, tables)
        for skip in range(4):
            part = run(query, tables, skip=skip, top=1)
            assert (part.total, part.columns, part.rows) == (3, ("id", "n"), whole.rows[skip : skip + 1])

    def test_whether_the_query_limits_itself(self) -> None:
        assert run("pets | limit 2", tables).limited
        assert run("pets | union (pets) | take 2", tables).limited
        assert not run("pets | union (pets | take 1) | where name != '| take 1'", tables).limited


class TestRefusals:
    @pytest.mark.parametrize(
        "query",
        [
            *("nothing2", "print 1", ".show tables", "let x = 1; pets", "(pets)", "pets |", "pets where age > 1", "|"),
            *("pets | project nothing", "pets | project id, id", "pets | project-away nothing", "pets | take -1"),
            *("pets | where Name == 'Rex'", "pets | where frobnicate(name)", "pets | where tolower(name, 1) == ''"),
            *("pets | where name matches regex '('", "pets | where name == 'unclosed", "pets | where (age > 1"),
            *("pets | order name", "pets | extend a = 1, b = a", "pets | summarize", "pets | where name = 'Rex'"),
            *("pets | join kind=inner (nothing2) on id", "pets | union (pets | render table)"),
        ],
    )
    def test_what_is_wrong(self, query: str) -> None:
        with pytest.raises(ParserFailure):
            run(query, tables)

    @pytest.mark.parametrize("operator", ["render table", "project-rename a = id", "lookup (owners) on name", "as x"])
    def test_operators_that_kusto_has_and_resource_graph_has_not(self, operator: str) -> None:
        with pytest.raises(ParserFailure) as caught:
            run(f"pets | {operator}", tables)
        assert (caught.value.line, caught.value.position, caught.value.token) == (1, 7, operator.partition(" ")[0])

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("pets\n| where Nothing == 1", (2, 8, "Nothing")),
            ("where Nothing == 1", (1, 6, "Nothing")),
            ("pets | where a ? b", (1, 15, "?")),
            ("elsewhere", (1, 0, "elsewhere")),
        ],
    )
    def test_it_says_where(self, query: str, place: tuple[int, int, str]) -> None:
        with pytest.raises(ParserFailure) as caught:
            run(query, tables)
        assert (caught.value.line, caught.value.position, caught.value.token) == place
