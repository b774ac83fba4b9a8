import re

from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.consumers.code.prefilter import make_prefilter

_WORDS = ["az acr", "azurecr.", "br:", "docker@", "acrpull", "authentication-as-arm", "@azure/mcp", "zz", "."]
_letters = st.text(alphabet="abrz:@./- cuedoktnACRZB\n", max_size=40)


def test_a_word_is_found_wherever_it_stands() -> None:
    holds_any = make_prefilter(["az acr", "docker@"])
    assert holds_any(b"az acr")
    assert holds_any(b"run: AZ ACR login".lower())
    assert holds_any(b"\xff\n- task: Docker@2\n".lower())
    assert not holds_any(b"az  acr, docker 2, dockera@")
    assert not holds_any(b"")


def test_without_words_no_file_is_worth_reading() -> None:
    assert not make_prefilter([])(b"az acr login")


@given(st.lists(st.sampled_from(_WORDS), unique=True), _letters, st.sampled_from(["", *_WORDS]), _letters)
def test_it_says_what_a_plain_search_says(words: list[str], before: str, within: str, after: str) -> None:
    text = before + within + after
    expected = any(word in text.lower() for word in words)
    assert make_prefilter(words)(text.encode().lower()) == expected


@given(st.lists(st.text(alphabet="abc.*?[(\\", min_size=1, max_size=4), min_size=1), _letters)
def test_words_are_literal(words: list[str], text: str) -> None:
    expected = bool(re.search("|".join(map(re.escape, words)), text.lower()))
    assert make_prefilter(words)(text.encode().lower()) == expected
