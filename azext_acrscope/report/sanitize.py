"""Text that others wrote, in documents for people: nothing in it may do more than be read. Pure."""

import re

# What HTML and XML cannot hold, as a reader shows any other character that it does not know.
_INVALID_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Lines of text may be turned around by these: a name must not be able to.
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def replace_invalid(text: str) -> str:
    return _DIRECTION_CONTROLS.sub("\ufffd", _INVALID_CHARACTERS.sub("\ufffd", text))


def split_code_spans(text: str) -> list[tuple[str, bool]]:
    """Our own sentences in pieces, and which of them are code: the words between two backquotes.

    Sentences may quote what others wrote: where backquotes do not pair, all of it is words.
    """
    pieces = text.split("`")
    codes, between = pieces[1::2], pieces[2:-1:2]
    if len(pieces) % 2 == 0 or not all(codes) or not all(between):
        return [(text, False)]
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]
