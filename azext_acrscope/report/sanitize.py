"""Our own sentences in documents for people. Pure."""


def split_code_spans(text: str) -> list[tuple[str, bool]]:
    """Our own sentences in pieces, and which of them are code: the words between two backquotes.

    Sentences may quote what others wrote: where backquotes do not pair, all of it is words.
    """
    pieces = text.split("`")
    codes, between = pieces[1::2], pieces[2:-1:2]
    if len(pieces) % 2 == 0 or not all(codes) or not all(between):
        return [(text, False)]
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]
