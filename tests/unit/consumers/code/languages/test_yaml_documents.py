"""YAML as nodes with lines: what can be read of any text whatever."""

import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from azext_acrscope.consumers.code.languages import yaml_documents
from azext_acrscope.consumers.code.languages.yaml_documents import Mapping, Node, Scalar, Sequence, read_documents, walk
from azext_acrscope.consumers.code.limits import BeyondLimitsError


def _mappings(text: str) -> list[Mapping]:
    return [node for node in read_documents(textwrap.dedent(text)) if isinstance(node, Mapping)]


def _scalar(node: Node | None) -> Scalar:
    assert isinstance(node, Scalar)
    return node


def test_documents_keep_their_lines() -> None:
    one, two = _mappings("# x\na: 1\n---\nb:\n- c: 2\n")
    assert (one.line, _scalar(one.get("a")).line) == (2, 2)
    listed = two.get("b")
    assert isinstance(listed, Sequence)
    assert isinstance(listed.items[0], Mapping)
    assert (_scalar(listed.items[0].get("c")).text, _scalar(listed.items[0].get("c")).line) == ("2", 5)


@pytest.mark.parametrize("breaks", ["\r\n", "\n"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run: |\n  one\n    two\n\n  three", {"one": 2, "two": 3, "three": 5}),
        ("run: |-\n\n  one\n  two", {"one": 3, "two": 4}),
        ("- &x !t >-\n  one\n  two\n\n  three", {"one": 2, "two": 3, "three": 5}),
        ("run: one\n  two\n  three", {"one": 1, "two": 2, "three": 3}),
        ('run: "one\n  two\n  three"', {"one": 1, "two": 2, "three": 3}),
        ("run: 'one'", {"one": 1}),
    ],
)
def test_each_line_of_a_text_is_known(text: str, words: dict[str, int], breaks: str) -> None:
    (root,) = read_documents(text.replace("\n", breaks))
    scalar = next(node for node in walk(root) if isinstance(node, Scalar))
    assert {word: scalar.line_at(scalar.text.index(word)) for word in words} == words


def test_line_breaks_that_no_editor_counts_are_none() -> None:
    (root,) = _mappings("a: x\u2028y\x85z\x00\x0b\ud800\nb: 1\n")
    assert _scalar(root.get("b")).line == 2


def test_anchors_and_merge_keys() -> None:
    (root,) = _mappings(
        """
        base: &base {image: a, x: 1}
        more: &more {image: b, y: 2}
        one: {<<: *base, x: 3}
        two:
          <<: [*base, *more]
          z: 4
        three: *base
        """
    )
    assert (root.text("one", "image"), root.text("one", "x")) == ("a", "3")
    two = root.get("two")
    assert isinstance(two, Mapping)
    assert {key.text: _scalar(node).text for key, node in two.items()} == {"z": "4", "image": "a", "x": "1", "y": "2"}
    assert root.get("three") is root.get("base")
    assert root.get("three", "image", "x") is None
    assert root.text("nothing", "x") == ""


@pytest.mark.parametrize("form", ["&a{} [{}]", "&a{} {{x: [{}]}}", "&a{} {{<<: [{}]}}"])
def test_a_bomb_is_refused_as_the_size_that_it_would_have(form: str) -> None:
    lines = [f"a{n}: {form.format(n, ', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 99)]
    with pytest.raises(BeyondLimitsError):
        read_documents("\n".join(["a0: &a0 {k: v}", *lines]))
    few = _mappings("\n".join(["a0: &a0 {k: v}", *lines[:3]]))
    assert len(list(walk(*few))) < 99


def test_no_node_is_in_itself() -> None:
    (root,) = _mappings("&a {x: *a, <<: *a, list: &b [*b, *b], y: &c z, z: *c}")
    assert (root.text("x"), root.text("y"), root.text("z")) == ("", "z", "z")
    listed = root.get("list")
    assert isinstance(listed, Sequence)
    assert [_scalar(each).text for each in listed.items] == ["", ""]


def test_a_long_text_counts_as_often_as_it_is_named() -> None:
    named = "- &a " + "b" * 100_000 + "\n" + "- *a\n" * 1000
    with pytest.raises(BeyondLimitsError):
        read_documents(named)
    assert read_documents(named.replace("b" * 100_000, "b"))


def test_what_stands_before_an_error_is_kept_and_the_next_document_is_read() -> None:
    one, two = _mappings("a: 1\nb: [1,\nc: }\n---\nd: 2\n")
    assert (one.text("a"), two.text("d")) == ("1", "2")
    assert _scalar(two.get("d")).line == 5


def test_templating_is_read_around() -> None:
    (root,) = _mappings(
        """\
        {{- if .Values.x }}
        image: {{ .Values.host }}/app:{{ .Values.tag }}
        {% if y %}
        name: a
        {% endif %}
        {{- end }}
        steps:
        - ${{ if eq(parameters.x, true) }}:
          - run: ${{ inputs.command }}
        """
    )
    assert (root.text("image"), _scalar(root.get("name")).line) == ("$/app:$", 4)
    assert root.get("steps") is not None


_FEW_NODES = 3000  # which are read in a hundredth of the time that the real limit's take


@pytest.mark.parametrize(
    "text", ["- " * 50_000, "\n".join(" " * n + "a:" for n in range(999)), "- a\n" * (_FEW_NODES + 1)]
)
def test_what_is_too_deep_or_too_much_is_refused_and_not_tried_twice(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_documents, "MAX_NODES", _FEW_NODES)
    read_documents("- a\n" * (_FEW_NODES // 2))
    with pytest.raises(BeyondLimitsError):
        read_documents(text)
    monkeypatch.setattr(yaml, "parse", None)
    with pytest.raises(BeyondLimitsError):
        read_documents(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "{{" * 50_000])
def test_what_the_parser_refuses_ends(text: str) -> None:
    assert len([node for root in read_documents(text) for node in walk(root)]) < 1000


@given(
    st.text(alphabet=st.sampled_from(list("ab:-[]{}&*!|>'\"%@`#?,.<$ \n\t\r\\\x00\u2028é")), max_size=80) | st.text()
)
def test_any_text_is_read(text: str) -> None:
    for root in read_documents(text):
        for node in walk(root):
            assert (
                1 <= node.line <= text.count("\n") + 2
            )  # libyaml ends the last line, and finds an empty text behind it
            if isinstance(node, Scalar):
                assert 1 <= node.line_at(len(node.text)) <= text.count("\n") + 2
