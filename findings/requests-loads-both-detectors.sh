#!/bin/sh
# requests loads both packages that guess encodings, and uses one of them.
#
# With:     requests 2.34.2, chardet 5.2.0, charset-normalizer 3.5.3. Seen on 2026-11-29.
# Expected: where chardet is installed, requests takes it and leaves charset-normalizer, its alternative, alone; and an
#           answer whose encoding is known needs neither.
# Seen:     `import requests` loads both as a whole, to compare their versions: chardet, with its tables of languages, is the
#           one it will use. Without them the import takes less than half the time.
# So what:  the Azure CLI depends on both, so each of its commands that sends a request pays for them.
#
# Everything happens in a temporary folder, without a network after pip. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 chardet==5.2.0 charset-normalizer==3.5.3
cat >"$folder/example.py" <<'END'
import statistics
import subprocess
import sys
import time

import requests

modules = {name: sum(each.partition(".")[0] == name for each in sys.modules) for name in ("chardet", "charset_normalizer")}
print(f"`import requests` loaded {modules} modules; it will ask {requests.compat.chardet.__name__}")

# The same, given modules that have a version and nothing else.
WITHOUT = """
import sys, types
for name, version in (("chardet", "5.2.0"), ("charset_normalizer", "3.5.3")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__version__ = version
"""


def seconds(code):
    measured = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        measured.append(time.perf_counter() - began)
    return statistics.median(measured)


floor = seconds("import urllib3")
whole, without = (seconds(f"{prepare}import urllib3, requests") - floor for prepare in ("", WITHOUT))
print(f"over `import urllib3`: {whole * 1000:.0f} ms with both, {without * 1000:.0f} ms without them")
as_seen = requests.compat.chardet.__name__ == "chardet" and all(count > 5 for count in modules.values())
sys.exit(0 if as_seen else 1)
END
"$folder/venv/bin/python" "$folder/example.py"
