"""JSON without the package `json` says the same as that."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.base import light_json

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_is_what_json_writes_and_reads_back(value: Any) -> None:
    text = light_json.dump(value)
    assert text == json.dumps(value)
    assert light_json.dump(value, sort_keys=True) == json.dumps(value, sort_keys=True)
    assert light_json.load_bytes(text.encode()) == value


@given(st.binary() | st.text().map(str.encode) | _VALUES.map(lambda value: json.dumps(value, indent=1).encode()))
def test_what_is_read_is_what_json_reads(content: bytes) -> None:
    def outcome(read: Callable[[Any], Any]) -> Any:
        try:
            return repr(read(content))
        except (ValueError, RecursionError):
            return "no JSON"

    assert outcome(light_json.load_bytes) == outcome(lambda data: json.loads(data.decode("utf-8-sig")))


@pytest.mark.parametrize("content", [b"", b" ", b"{", b"{} x", b"[1,]", b"nul", b"\xff", b'"\n"', b"\xef\xbb\xbf"])
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        light_json.load_bytes(content)


@pytest.mark.parametrize("content", ["", "{", '{"version": 1, "tokens', '"\\x"', "[1,]", "tru", '"\n"', "1 2"])
def test_what_is_no_json_is_a_value_error_in_a_process_that_has_not_loaded_json(content: str) -> None:
    script = (
        f"import sys; sys.path.append({str(Path(light_json.__file__).parents[2])!r})\n"
        "from azext_acrscope.base import light_json\n"
        "assert 'json' not in sys.modules\n"
        f"try: light_json.load_bytes({content.encode()!r})\n"
        "except ValueError: print('no JSON')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no JSON\n", "")


def test_what_json_takes_beyond_the_standard_is_taken_here_too() -> None:
    assert light_json.load_bytes(b"\xef\xbb\xbf [Infinity, -Infinity]\r\n") == [math.inf, -math.inf]
    assert light_json.dump([math.inf]) == "[Infinity]"


def test_what_has_no_json_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        light_json.dump({"a": {1}})


@pytest.mark.parametrize("functions", [None, SimpleNamespace(make_scanner=dict, make_encoder=dict)])
def test_a_python_with_other_functions_uses_json_itself(functions: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(light_json, "_functions", functions)
    assert light_json.load_bytes(b'{"b": [1, "\\u00e4"], "a": null}') == {"b": [1, "\u00e4"], "a": None}
    assert light_json.dump({"b": 1, "a": "\u00e4"}, sort_keys=True) == '{"a": "\\u00e4", "b": 1}'
