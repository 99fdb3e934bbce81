import ast

import pytest

from didact.check.files.salvage import MAX_BLANKED, salvage
from didact.check.files.source import UnreadableError, parse


def saved(code):
    try:
        parse(code)
    except UnreadableError as error:
        return salvage(code, error)
    raise AssertionError("it parses")


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("x = y.cuda(async=True)", "x = y.cuda(_sync=True)"),
        ("try:\n    f()\nexcept E, e:\n    g(e)", "try:\n    f()\nexcept E as e:\n    g(e)"),
        ("x = 10L + 0777", "x = 10 + 777"),
        ("if a <> b:\n    f()", "if a != b:\n    f()"),
        ("print 'loss: %s' % loss\nx = 1", "pass\nx = 1"),
        ("raise Error, 'no'\nx = 1", "pass\nx = 1"),
        ("for x in y:\n    exec 'f()'\n    z(x)", "for x in y:\n    pass\n    z(x)"),
        ("def f(a, (b, c)):\n    return g(a)\nx = 1", "if 1:\n    return g(a)\nx = 1"),
    ],
)
def test_old_python_is_read_line_for_line(code, kept):
    result = saved(code)
    assert ast.dump(result.tree) == ast.dump(ast.parse(kept))
    assert result.code.count("\n") == code.count("\n")
    assert str(result.note.severity) == "warning"
    assert "checked" in result.note.message.en


def test_the_number_of_lines_passed_over_is_told():
    result = saved("x = 1\nraise E, 'a'\ny = 2\nraise E, 'b'\nz = 3\n")
    assert "passed over 2 such lines" in result.note.message.en
    assert "跳过了 2 处" in result.note.message.zh
    assert result.note.span.line == 2


def test_columns_stay():
    code = "x.cuda(async=True); F.kl_div(a, b)"
    calls = [n for n in ast.walk(saved(code).tree) if isinstance(n, ast.Call)]
    assert code.index("F.kl_div") in [call.col_offset for call in calls]


@pytest.mark.parametrize(
    "code",
    [
        "this is prose, not code\nand more of it\nin every line",
        "\n".join(f"raise E, {n}" for n in range(MAX_BLANKED + 5)) + "\nx = 1" * 200,
        "x = 1\0",
    ],
)
def test_what_is_hardly_python_is_left_alone(code):
    assert saved(code) is None
