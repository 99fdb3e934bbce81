import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didact.check.files.source import (
    UnreadableError,
    apply_edits,
    decode,
    parse,
    with_unix_newlines,
)
from didact.check.findings.finding import Edit, Span


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"x = 1\r\n", "x = 1\r\n", "utf-8", False),
        (codecs.BOM_UTF8 + "é".encode(), "é", "utf-8", True),
        ("# coding: latin-1\né".encode("latin-1"), "# coding: latin-1\né", "iso-8859-1", False),
        ("#\n# coding: gbk\n中".encode("gbk"), "#\n# coding: gbk\n中", "gbk", False),
        (b"", "", "utf-8", False),
    ],
)  # fmt: skip
def test_bytes_become_text_and_the_same_bytes_again(data, text, encoding, bom):
    decoded, how = decode(data)
    assert (decoded, how.name, how.bom) == (text, encoding, bom)
    assert how.encode(decoded) == data


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"# coding: nonsense\n", b"x = '\xe9'", b"# coding: rot13\n"]
)
def test_bytes_that_are_no_text_are_told(data):
    with pytest.raises(UnreadableError, match="cannot be decoded"):
        decode(data)


@pytest.mark.parametrize(
    "code",
    [
        "print 'x'",
        "a\0b",
        "(" * 500 + ")" * 500,
        "-" * 100_000 + "1",
        "a" + ".b" * 100_000,
        "1" + "+1" * 100_000,
        "x = " + "9" * 5000,
        "if x:\n\ty\n        z",
        "\ud800",
    ],
)
def test_text_that_is_no_python_is_told(code):
    with pytest.raises(UnreadableError) as caught:
        parse(code)
    finding = caught.value.finding()
    assert finding.code == "KD002"
    assert finding.span.line >= 1


def test_a_bad_escape_is_not_our_business():
    assert parse("'\\d'").body


def test_edits_keep_the_ends_of_lines():
    text = "a\r\nb\rc\nd"
    edits = [
        Edit(Span(1, 1, 2, 0), "\n\n"),
        Edit(Span(3, 0, 3, 1), "C"),
        Edit(Span(4, 1, 4, 1), "\n"),
    ]
    assert apply_edits(text, edits) == "a\r\n\r\nb\rC\nd\r\n"


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(Span(1, 0, 1, 2), ""), Edit(Span(1, 1, 1, 3), "")],
        [Edit(Span(2, 0, 1, 0), "")],
        [Edit(Span(9, 0, 9, 0), "")],
        [Edit(Span(1, 4, 1, 4), "")],
        [Edit(Span(0, 0, 0, 0), "")],
    ],
)
def test_edits_that_make_no_sense_are_refused(edits):
    with pytest.raises(ValueError, match=r"overlaps|outside"):
        apply_edits("abc\ndef", edits)


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="ab\r\n\f\u2028é中"), st.data())
def test_one_edit_replaces_just_its_stretch(text, data):
    lines = with_unix_newlines(text).split("\n")
    line = data.draw(st.integers(1, len(lines)))
    start = data.draw(st.integers(0, len(lines[line - 1])))
    end = data.draw(st.integers(start, len(lines[line - 1])))
    expected = list(lines)
    expected[line - 1] = lines[line - 1][:start] + "XY" + lines[line - 1][end:]
    edited = apply_edits(text, [Edit(Span(line, start, line, end), "XY")])
    assert with_unix_newlines(edited) == "\n".join(expected)
    assert edited.count("\r\n") == text.count("\r\n")
