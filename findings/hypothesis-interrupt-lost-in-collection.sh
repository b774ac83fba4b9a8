#!/bin/sh
# Once Hypothesis has run a test, Ctrl-C is lost if it comes while Python collects garbage.
#
# With:     hypothesis 6.170.17, CPython 3.11. Seen on 2026-11-28.
# Expected: the KeyboardInterrupt of a signal that comes during a collection is raised right after it, as without
#           Hypothesis: code in C is not interrupted, and the handler runs at the next instruction of Python.
# Seen:     Hypothesis measures collections by a function in gc.callbacks, which stays there after its tests. The next
#           instruction of Python is that function's, and what is raised in such a function is printed and dropped. The
#           program goes on as if nobody had pressed a key.
# So what:  a test of how a program ends on a signal fails now and then if a test with @given ran in the same process
#           before. Send the signal to a process of its own, or switch the collector off meanwhile.
#
# Everything happens in a temporary folder. Ends with 0 if this is what it sees, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hypothesis==6.170.17
cat >"$folder/example.py" <<'PY'
import gc
import signal
import sys
import time

from hypothesis import given, settings
from hypothesis import strategies as st

gc.disable()  # but for the collections below
kept = [[{}] for _ in range(400_000)]  # a collection takes longer than the alarm waits
signal.signal(signal.SIGALRM, signal.default_int_handler)  # which raises KeyboardInterrupt


def is_interrupted():
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        gc.collect()
        time.sleep(0.5)  # long after the alarm
        return False
    except KeyboardInterrupt:
        return True


@settings(max_examples=1, database=None)
@given(st.booleans())
def any_test(_value):
    pass


before = is_interrupted()
any_test()
after = is_interrupted()
print(f"the collection was interrupted: {before} before a test of Hypothesis, {after} after it")
sys.exit(0 if (before, after) == (True, False) else 1)
PY
cd "$folder"
venv/bin/python example.py
