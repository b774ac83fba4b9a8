#!/bin/sh
# Microsoft's Kusto library drops columns that follow a column named `kind`.
#
# With:     @kusto/language-service-next 12.4.1 (npm), Node 18 or newer. Seen on 2026-11-28.
# Expected: `TableSymbol.From("(id: string, kind: string, location: string)")` has three columns, or says what it
#           cannot read. Azure Resource Graph's own table `resources` has a column of that name.
# Seen:     one column is left, without a word; queries that use `location` are then said to be wrong. In the quoted
#           form, `['kind']: string`, all three are there.
# So what:  who judges queries against a schema should count the columns that arrived.
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . @kusto/language-service-next@12.4.1 >&2
cat >columns.js <<'END'
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");

function columns(schema) {
  const found = Kusto.Language.Symbols.TableSymbol.From(schema).Columns;
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index).Name);
}

const bare = columns("(id: string, kind: string, location: string)");
const quoted = columns("(id: string, ['kind']: string, location: string)");
console.log("kind:     ", bare.join(", "));
console.log("['kind']: ", quoted.join(", "));
process.exit(bare.includes("location") || quoted.join() !== "id,kind,location" ? 1 : 0);
END
node columns.js
