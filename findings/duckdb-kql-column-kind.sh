#!/bin/sh
# duckdb-kql refuses a column named `kind` or `like`, and names the pipe before it as the mistake.
#
# With:     duckdb-kql 1.1.2 and duckdb 2.0.1 (PyPI), Python 3.11 or newer. Seen on 2026-11-28.
# Expected: `where kind == 'x'` runs where the table has such a column, as with Microsoft's own parser: Azure's tables
#           have one. `kind` is a word of the language only as an option (`join kind=inner`). Else, an error at the word.
# Seen:     "mismatched input '|'" at the pipe, eight letters before the word. In brackets, ['kind'], it is taken; other
#           such words are taken as they are (`all`).
# So what:  whoever runs Azure's queries on it writes ['kind'], and looks behind the pipe that an error names.
#
# Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb-kql==1.1.2 duckdb==2.0.1
"$folder/venv/bin/python" - <<'END'
import duckdb_kql

COLUMNS = {"resources": ["id", "kind", "like", "all"]}


def outcome(column):
    query = f"resources | where {column} == 'x'"
    try:
        duckdb_kql.to_sql(query, schema=COLUMNS)
        said = "taken"
    except duckdb_kql.KqlSyntaxError as error:
        said = str(error).splitlines()[0]
    print(f"{query}: {said}")
    return said


refused = [outcome("kind"), outcome("like")]
taken = [outcome(column) for column in ("['kind']", "['like']", "all", "id")]
raise SystemExit(0 if all("1:10: mismatched input '|'" in each for each in refused) and set(taken) == {"taken"} else 1)
END
