"""JSON for the credential helper, without the package `json`: what that imports takes longer than Python's own start.

CPython's `json` is a Python face of two C functions, which are used here as it uses them. Where they are not there, or
want more than this gives them, `json` itself is used.
"""

TYPE_CHECKING = False  # typing's own would cost a tenth of a `get`
if TYPE_CHECKING:
    from typing import Any

_functions: "Any" = None
try:  # noqa: SIM105  (contextlib costs half as much as Python's own start)
    import _json as _functions
except ImportError:  # another Python
    pass

_WHITESPACE = " \t\n\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _ParseOptions:  # pylint: disable=too-few-public-methods  # the scanner reads its members
    """What the scanner asks for: the choices of `json.loads`."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def load_bytes(content: bytes) -> "Any":
    """Return what JSON in UTF-8 says, with a byte order mark or without.

    :raises ValueError: it is no JSON.
    :raises RecursionError: it is nested without an end.
    """
    text = content.removeprefix(_BYTE_ORDER_MARK).decode()
    try:
        scan = _functions.make_scanner(_ParseOptions)
    except (TypeError, AttributeError):
        import json

        return json.loads(text)
    try:
        value, end = scan(text, len(text) - len(text.lstrip(_WHITESPACE)))
    except (StopIteration, SystemError):  # the latter up to Python 3.11, while the module of its error is not loaded
        raise ValueError("no JSON") from None
    if text[end:].strip(_WHITESPACE):
        raise ValueError("more than JSON")
    return value


def dump(value: "Any", sort_keys: bool = False) -> str:
    """Return a value as JSON in ASCII, as `json.dumps` writes it.

    :raises TypeError: there is no JSON for it.
    """
    try:
        quote = _functions.encode_basestring_ascii
        encode = _functions.make_encoder(None, _refuse, quote, None, ": ", ", ", sort_keys, False, True)
    except (TypeError, AttributeError):
        import json

        return json.dumps(value, sort_keys=sort_keys)
    return "".join(encode(value, 0))


def _refuse(value: object) -> "Any":
    raise TypeError(type(value).__name__)
