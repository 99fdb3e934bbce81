import ast

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.check.support import KINDS, codes, fake_context

from didact._core.i18n import Text
from didact.check.files.document import PythonDocument
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
from didact.check.running.analysis import CheckContext, findings_in
from didact.check.running.fix import SAFE, SAFE_AND_UNSAFE, compatible, fix_document

NAMES = (*KINDS, "fine", "另一个")


def fixed(code, allowed=SAFE, context=None):
    return fix_document(PythonDocument(code), "x.py", context or fake_context(), allowed=allowed)


def test_only_safe_fixes_are_made_unless_all_are_wanted():
    code = "x = bad_safe + bad_unsafe + bad_shown\n"
    assert fixed(code).document.text == "x = good + bad_unsafe + bad_shown\n"
    everything = fixed(code, SAFE_AND_UNSAFE)
    assert everything.document.text == "x = good + good + bad_shown\n"
    assert everything.count == 2
    assert codes(everything.findings) == ["KD103"]


def test_a_fix_that_breaks_the_file_is_left_and_the_others_are_made():
    result = fixed("x = bad_broken\ny = bad_safe\nz = bad_worse\nw = bad_safe\n")
    assert result.document.text == "x = bad_broken\ny = good\nz = bad_worse\nw = good\n"
    assert result.count == 2


def edit(line, start, end, text="!"):
    return Fix((Edit(Span(line, start, line, end), text),), "safe", Text("", ""))


def test_of_two_fixes_on_one_stretch_the_first_is_made():
    first, inside, beside, other = edit(1, 0, 5), edit(1, 2, 3), edit(1, 5, 6), edit(2, 0, 5)
    assert compatible([first, inside, beside, other]) == [first, beside, other]


def test_two_insertions_at_one_place_are_made_one_after_the_other():
    assert compatible([edit(1, 3, 3, "("), edit(1, 3, 3, ")")]) == [edit(1, 3, 3, "(")]
    assert compatible([edit(1, 0, 3), edit(1, 3, 3)]) == [edit(1, 0, 3)]


def _overlapping(source, *, path, tree=None):
    """Each call `f(...)` is to lose its `f`; nested ones overlap."""
    found = []
    for node in ast.walk(tree or ast.parse(source)):
        if isinstance(node, ast.Call):
            inner = ast.get_source_segment(source, node.args[0])
            span = Span(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
            fix = Fix((Edit(span, inner),), "safe", Text("", ""))
            found.append(Finding("KD101", Severity.ERROR, span, Text("", ""), fix))
    return found


def test_overlapping_fixes_are_made_in_further_rounds():
    result = fixed("x = f(f(f(1)))\n", context=CheckContext(_overlapping))
    assert result.document.text == "x = 1\n"
    assert result.count == 3


@st.composite
def programs(draw):
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = draw(
        st.lists(
            st.builds(
                "{}v = [{}]{}".format,
                st.sampled_from(["", "if c: ", "中文 = "]),
                st.lists(st.sampled_from(NAMES), max_size=4).map(", ".join),
                st.sampled_from(["", "  # noqa", "  # noqa: KD101, E1", "  # 注释"]),
            ),
            max_size=6,
        )
    )
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


@settings(deadline=None, max_examples=60)
@given(programs(), st.sampled_from([SAFE, SAFE_AND_UNSAFE]))
def test_fixing_leaves_python_with_fewer_findings_and_is_done_at_once(code, allowed):
    document = PythonDocument(code)
    before = findings_in(document, "x.py", fake_context())
    result = fixed(code, allowed)
    ast.parse(result.document.text)
    assert result.findings == findings_in(result.document, "x.py", fake_context())
    if result.document.text != code:
        assert len(result.findings) < len(before)
    assert result.count == len(before) - len(result.findings)
    assert code.count("\r\n") == result.document.text.count("\r\n")
    again = fixed(result.document.text, allowed)
    assert again.document.text == result.document.text
    assert again.count == 0


def test_a_broken_fix_does_not_keep_many_good_ones_away():
    code = "\n".join(["v = [bad_safe, bad_safe, bad_safe]"] * 5 + ["v = [bad_broken]"])
    result = fixed(code, SAFE)
    assert result.document.text == code.replace("bad_safe", "good")
    assert result.count == 15


@settings(deadline=None, max_examples=60)
@given(programs())
def test_what_no_fix_touches_stays(code):
    result = fixed(code)
    kept = ["bad_unsafe", "bad_shown", "bad_plain", "bad_broken", "fine"]
    assert [code.count(n) for n in kept] == [result.document.text.count(n) for n in kept]
