"""The query language of Resource Graph: what it answers, and that it refuses all it does not know."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.localcloud.kql import ParserFailure, Table, run

PETS: list[dict[str, Any]] = [
    {"id": "1", "name": "Rex", "age": 7, "tags": {"Owner": "ann", "n": 1}, "likes": ["ball", "bone"]},
    {"id": "2", "name": "tom", "age": 3, "tags": {"owner": "bob"}, "likes": []},
    {"id": "3", "name": "Zoe", "age": None, "tags": None, "likes": None},
]
OWNERS: list[dict[str, Any]] = [
    {"owner": "ann", "name": "Ann A."},
    {"owner": "ann", "name": "Ann B."},
    {"owner": None, "name": "nobody"},
]


def tables(name: str) -> Table | None:
    known = {"resources": PETS, "pets": PETS, "owners": OWNERS}.get(name)
    return Table(tuple(known[0]), known) if known else None


def rows(query: str) -> list[dict[str, Any]]:
    return run(query, tables).rows


def ids(condition: str) -> str:
    return "".join(row["id"] for row in rows(f"pets | where {condition}"))


def value(expression: str, row: str = "1") -> Any:
    return rows(f"pets | where id == '{row}' | project x = {expression}")[0]["x"]


class TestWhere:
    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("name == 'Rex'", "1"),
            ("name == 'rex'", ""),
            ("name =~ 'rex'", "1"),
            ("name !~ 'REX'", "23"),
            ("name != 'rex'", "123"),
            ("age > 3", "1"),
            ("age >= 3 and age <= 7", "12"),
            ("age < 7 or name == 'Zoe'", "23"),
            ("not(age > 3)", "2"),
            ("name in ('Rex', 'tom')", "12"),
            ("name in ('rex')", ""),
            ("name in~ ('rex', 'TOM')", "12"),
            ("name !in ('Rex')", "23"),
            ("name in (dynamic(['Rex', 'Zoe']))", "13"),
            ("name contains 'O'", "23"),
            ("name !contains 'o'", "1"),
            ("name startswith 'r'", "1"),
            ("name endswith 'E'", "3"),
            ("likes has 'ball'", "1"),
            ("likes has 'bal'", ""),
            ("name matches regex '^[RZ]'", "13"),
            ("isempty(likes)", "3"),
            ("(name == 'Rex' or name == 'tom') and age < 5", "2"),
            ("name == 'Rex' or name == 'tom' and age < 5", "12"),
        ],
    )
    def test_conditions(self, condition: str, expected: str) -> None:
        assert ids(condition) == expected

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("tags.owner == 'bob'", "2"),
            ("tags['Owner'] == 'ann'", "1"),
            ("tags.owner == ''", ""),
            ("tags.owner =~ ''", "13"),
            ("tags.owner != 'bob'", "13"),
            ("isnull(tags.owner)", "13"),
            ("isnotnull(tags.owner)", "2"),
            ("tostring(tags.owner) == ''", "13"),
            ("tags.owner.deeper[0].still == 'x'", ""),
            ("age == tags.nothing", ""),
            ("age > tags.nothing or age < tags.nothing", ""),
            ("likes[0] == 'ball'", "1"),
            ("likes[-1] == 'bone'", "1"),
        ],
    )
    def test_what_is_missing_is_null(self, condition: str, expected: str) -> None:
        assert ids(condition) == expected

    def test_a_null_decides_neither_and_nor_or(self) -> None:
        assert ids("age > 3 or true") == "123"
        assert ids("not(age > 100 and false)") == "123"
        assert ids("not(age > 100 and true)") == "12"


class TestExpressions:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("7 / 2", 3),
            ("-7 / 2", -3),
            ("7 / 2.0", 3.5),
            ("1 / 0", None),
            ("age - 1", 6),
            ("'a' + 1", None),
            ('"double"', "double"),
            (r"'it\'s'", "it's"),
            (r"@'c:\x'", r"c:\x"),
            ("@'it''s'", "it's"),
            ("tolower(name)", "rex"),
            ("toupper(name)", "REX"),
            ("tostring(tags)", '{"Owner":"ann","n":1}'),
            ("tostring(true)", "true"),
            ("tobool('TRUE')", True),
            ("tobool('maybe')", None),
            ("toint('42')", 42),
            ("toint('x')", None),
            ("split('a/b/c', '/')", ["a", "b", "c"]),
            ("split('a/b/c', '/')[1]", "b"),
            ("strcat(name, '-', age)", "Rex-7"),
            ("replace_string('a.b.c', '.', '')", "abc"),
            ("replace('[0-9]+', '#', 'a12b3')", "a#b#"),
            ("extract('/registries/([^/]+)', 1, '/x/registries/acr')", "acr"),
            ("extract('no', 0, 'match')", ""),
            ("array_length(likes)", 2),
            ("array_length(tags)", None),
            ("coalesce(tags.none, '', 'x')", "x"),
            ("iff(age > 5, 'old', 'young')", "old"),
            ("iif(age > tags.none, 'old', 'young')", "young"),
            ("case(age > 9, 'a', age > 5, 'b', 'c')", "b"),
            ("parse_json('{\"a\": [1]}').a[0]", 1),
            ("todynamic('[1, 2]')", [1, 2]),
            ("dynamic({'a': [1, -2, null, true], \"b\": {}})", {"a": [1, -2, None, True], "b": {}}),
            ("bag_pack('a', 1, 'b', name)", {"a": 1, "b": "Rex"}),
            ("pack('a', 1)", {"a": 1}),
            ("tags['n'] == 1", True),
            ("now() - ago(1h) == 1h", True),
            ("todatetime('2026-01-02T03:04:05.1234567Z') < now()", True),
            ("todatetime('2026-01-02') == todatetime('2026-01-02T00:00:00Z')", True),
        ],
    )
    def test_values(self, expression: str, expected: Any) -> None:
        found = value(expression)
        assert found == expected
        assert type(found) is type(expected)

    def test_of_nothing(self) -> None:
        assert value("tostring(tags.owner)", "3") == ""
        assert value("tobool(tags.owner)", "3") is None
        assert value("array_length(likes)", "3") is None
        assert value("isempty(tags.owner)", "3") is True

    def test_ago_is_before_now(self) -> None:
        assert isinstance(value("ago(1d)"), datetime.datetime)


class TestOperators:
    def test_a_query_may_begin_with_an_operator(self) -> None:
        assert len(rows("where age > 0 | project id")) == 2

    def test_comments_and_lines(self) -> None:
        assert rows("// all\npets\n| where id == '1' // Rex\n| project name") == [{"name": "Rex"}]

    def test_table_names_have_no_case(self) -> None:
        assert len(rows("Pets")) == 3

    def test_project_names_paths_and_conversions_as_kusto_does(self) -> None:
        query = "pets | take 1 | project id, tags.Owner, tostring(likes[0]), years = age"
        assert rows(query) == [{"id": "1", "tags_Owner": "ann", "likes_0": "ball", "years": 7}]

    def test_project_away_and_extend(self) -> None:
        query = "pets | extend age = 1, kind = 'pet' | project-away tags, likes | limit 1"
        assert rows(query) == [{"id": "1", "name": "Rex", "age": 1, "kind": "pet"}]

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ("order by name", "231"),
            ("sort by name asc", "132"),
            ("order by tolower(name) asc", "123"),
            ("order by age asc", "321"),
            ("order by age desc", "123"),
            ("order by age asc nulls last", "213"),
            ("order by isnull(age) asc, age asc", "213"),
        ],
    )
    def test_order(self, order: str, expected: str) -> None:
        assert "".join(row["id"] for row in rows(f"pets | {order}")) == expected

    def test_distinct(self) -> None:
        assert rows("owners | distinct owner") == [{"owner": "ann"}, {"owner": None}]
        assert len(rows("owners | distinct *")) == 3

    def test_count(self) -> None:
        assert rows("pets | where age > 0 | count") == [{"Count": 2}]

    def test_summarize(self) -> None:
        query = "owners | summarize n = count(), names = make_list(name), dcount(owner), one = take_any(name) by owner"
        assert rows(query) == [
            {"owner": "ann", "n": 2, "names": ["Ann A.", "Ann B."], "dcount_owner": 1, "one": "Ann A."},
            {"owner": None, "n": 1, "names": ["nobody"], "dcount_owner": 0, "one": "nobody"},
        ]

    def test_summarize_over_everything(self) -> None:
        assert rows("owners | summarize count(), make_set(owner), any(owner)") == [
            {"count_": 3, "set_owner": ["ann"], "any_owner": "ann"}
        ]
        assert rows("owners | where false | summarize count()") == [{"count_": 0}]

    def test_min_and_max_leave_nulls_out(self) -> None:
        assert rows("pets | summarize min(age), most = max(age)") == [{"min_age": 3, "most": 7}]
        assert rows("pets | summarize min(age) by id | where id == '3'") == [{"id": "3", "min_age": None}]
        query = "pets | summarize first = min(ago(age * 1d)) | project same = first == ago(7d)"
        assert rows(query) == [{"same": True}]

    def test_summarize_by_an_expression(self) -> None:
        assert rows("pets | summarize count() by old = age > 5") == [
            {"old": True, "count_": 1},
            {"old": False, "count_": 1},
            {"old": None, "count_": 1},
        ]

    def test_mv_expand(self) -> None:
        found = rows("pets | mv-expand like = likes | project id, like")
        assert [(row["id"], row["like"]) for row in found] == [("1", "ball"), ("1", "bone"), ("2", None), ("3", None)]
        assert [row["likes"] for row in rows("pets | mv-expand likes | take 2")] == ["ball", "bone"]
        assert rows("pets | where id == '1' | mv-expand tags | project tags") == [
            {"tags": {"Owner": "ann"}},
            {"tags": {"n": 1}},
        ]

    def test_join(self) -> None:
        left = "pets | project id, name, owner = tostring(tags.Owner)"
        inner = rows(f"{left} | join kind=inner (owners) on owner")
        assert [(row["id"], row["name"], row["name1"], row["owner1"]) for row in inner] == [
            ("1", "Rex", "Ann A.", "ann"),
            ("1", "Rex", "Ann B.", "ann"),
        ]
        outer = rows(f"{left} | join kind=leftouter (owners | distinct owner) on $left.owner == $right.owner")
        assert [(row["id"], row["owner1"]) for row in outer] == [("1", "ann"), ("2", None), ("3", None)]

    def test_nulls_do_not_join(self) -> None:
        assert rows("owners | where isnull(owner) | join kind=inner (owners) on owner") == []

    def test_union(self) -> None:
        found = rows("pets | project id | union (owners | project name | take 1)")
        assert found[0] == {"id": "1", "name": None}
        assert found[-1] == {"id": None, "name": "Ann A."}

    @pytest.mark.parametrize(
        "query",
        [
            "pets | project id, n = name | order by n asc",
            "pets | project id, n = tolower(name) | order by n asc, id desc | extend m = n | project-away n",
            "pets | project n = name, id = strcat(id, 'x') | order by id desc | project id",
            "pets | project id | order by id desc | project id = strcat(id, 'y') | order by id asc",
            "pets | order by id desc | extend id = '9' | project id",
            "pets | project id, name | take 2 | order by name asc",
        ],
    )
    def test_a_part_of_the_result_is_what_the_whole_has_there(self, query: str) -> None:
        whole = run(query, tables)
        for skip in range(4):
            part = run(query, tables, skip=skip, top=1)
            assert (part.total, part.columns, part.rows) == (whole.total, whole.columns, whole.rows[skip : skip + 1])

    def test_a_column_is_refused_also_on_an_empty_page(self) -> None:
        with pytest.raises(ParserFailure):
            run("pets | project id | order by name asc", tables)
        with pytest.raises(ParserFailure):
            run("pets | order by id asc | project nothing", tables, skip=5)

    def test_whether_the_query_limits_itself(self) -> None:
        assert run("pets | limit 2", tables).limited
        assert not run("pets | union (pets | take 1)", tables).limited


class TestRefusals:
    @pytest.mark.parametrize(
        "query",
        [
            "nothing",
            "pets | where Name == 'Rex'",
            "pets | project nothing",
            "pets | where frobnicate(name)",
            "pets | where tolower(name, 1) == ''",
            "pets | where case(true, 1)",
            "pets | where strlen(name) > 1",
            "pets | project tolower(name)",
            "pets | project id, id",
            "pets | top 5 by name",
            "pets | parse name with *",
            "pets | render table",
            "pets | take -1",
            "pets | take 'x'",
            "pets | summarize sum(age)",
            "pets | summarize count(1)",
            "pets | summarize take_any(name)",
            "pets | summarize",
            "pets | join (owners) on owner",
            "pets | join kind=fullouter (owners) on id",
            "pets | join kind=inner (owners) on id",
            "pets | project-away nothing",
            "pets | where name matches regex '('",
            "pets | where name between ('a' .. 'b')",
            "pets | where name == 'unclosed",
            r"pets | where name == '\q'",
            "pets | where (age > 1",
            "pets | where age > 1)",
            "pets where age > 1",
            "pets |",
            "let x = 1; pets",
            "pets | where name = 'Rex'",
            "pets | where age ~ 1",
            "pets | order name",
            "pets | extend a = 1, b = a",
        ],
    )
    def test_what_it_does_not_know(self, query: str) -> None:
        with pytest.raises(ParserFailure):
            run(query, tables)

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("where where", (1, 11, "<EOF>")),
            ("pets\n| where Nothing == 1", (2, 8, "Nothing")),
            ("pets | frob", (1, 7, "frob")),
            ("pets | where a ? b", (1, 15, "?")),
        ],
    )
    def test_it_says_where(self, query: str, place: tuple[int, int, str]) -> None:
        with pytest.raises(ParserFailure) as caught:
            run(query, tables)
        assert (caught.value.line, caught.value.position, caught.value.token) == place

    def test_rows_are_never_changed(self) -> None:
        before = [dict(row) for row in PETS]
        rows("pets | extend name = 'x' | mv-expand likes | order by id asc")
        assert before == PETS
