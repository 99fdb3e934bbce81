import pytest
from tests.check.support import codes, fake_context, install_fake_engine

from didact._core.i18n import Text
from didact.check.files.document import PythonDocument
from didact.check.running.analysis import findings_in
from didact.check.running.fix import SAFE, fix_document
from didact.check.wanted import pragmas as _pragmas
from didact.check.wanted.pragmas import Pragma


def found(code, **context):
    return findings_in(PythonDocument(code), "x.py", fake_context(**context))


def cleaned(code, **context):
    return fix_document(
        PythonDocument(code), "x.py", fake_context(**context), allowed=SAFE
    ).document.text


@pytest.mark.parametrize(
    "code",
    [
        "x = bad_plain  # noqa",
        "x = bad_plain  #noqa",
        "x = bad_plain  # NOQA: kd201",
        "x = bad_plain  # noqa:KD201",
        "x = bad_plain  # noqa: E501,KD201",
        "x = bad_plain  # noqa: E501 KD201 because it is meant",
        "x = bad_plain  # noqa: KD2",
        "x = bad_plain  # type: ignore # noqa: KD201",
        "x = (\n    bad_plain,\n    1,\n)  # noqa: KD201",
        "x = (  # noqa: KD201\n    1,\n    bad_plain,\n)",
        "x = (\n    1,\n    bad_plain,  # noqa: KD201\n)",
        'x = bad_plain, """\n# noqa\n"""  # noqa: KD201',
        "if (\n    bad_plain\n):  # noqa: KD201\n    pass",
        "@bad_plain\ndef f():  # noqa: KD201\n    pass",
        "# didact: noqa\nx = bad_plain",
        "x = bad_plain\n\n# didact: noqa: KD201, KD101\ny = bad_safe",
        "if x: y = bad_plain  # noqa: KD201",
    ],
)
def test_a_comment_silences(code):
    assert codes(found(code)) == []


@pytest.mark.parametrize(
    "code",
    [
        'x = bad_plain, "# noqa: KD201"',
        'x = bad_plain, """\n# noqa\n"""',
        "x = bad_plain\n# noqa: KD201",
        "x = bad_plain  # noqa: E501",
        "x = bad_plain  # notnoqa",
        "x = bad_plain\ny = 1  # noqa",
        "def f():  # noqa\n    return bad_plain",
        "x = 1  # didact: noqa: KD101\ny = bad_plain",
    ],
)
def test_a_comment_elsewhere_or_of_others_does_not(code):
    assert "KD201" in codes(found(code))


def test_unused_codes_are_told_and_only_those_of_didact():
    (finding,) = found("x = 1  # noqa: E501, KD101, KD201")
    assert finding.code == "KD001"
    assert "KD101, KD201" in finding.message.en
    assert "E501" not in finding.message.en


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # noqa: KD101\n", "x = 1\n"),
        ("x = 1  # noqa: E501, KD101\n", "x = 1  # noqa: E501\n"),
        ("x = 1  # noqa: KD101,W1 , KD102\n", "x = 1  # noqa: W1\n"),
        ("x = bad_plain  # noqa: KD101, KD201\n", "x = bad_plain  # noqa: KD201\n"),
        ("x = bad_plain  # noqa: KD201, KD201\n", "x = bad_plain  # noqa: KD201\n"),
        ("x = 1  # type: ignore # noqa: KD101\n", "x = 1  # type: ignore\n"),
        ("x = 1  # noqa: KD101 # type: ignore\n", "x = 1  # type: ignore\n"),
        ("x = 1  # noqa: KD101 - as in the paper\n", "x = 1  # as in the paper\n"),
        ("# noqa: KD101\nx = 1\n", "x = 1\n"),
        ("x = 1\n    # noqa: KD101", "x = 1\n"),
        ("x = 1\n# didact: noqa: KD101\ny = 2\n", "x = 1\ny = 2\n"),
        ("x = 1  # noqa\n", "x = 1  # noqa\n"),
        ("x = 1  # noqa: KD101, KD001\n", "x = 1  # noqa: KD101, KD001\n"),
    ],
)
def test_the_unused_part_of_a_comment_goes(before, after):
    assert cleaned(before) == after


def test_codes_that_are_not_selected_are_not_called_unused():
    assert found("x = 1  # noqa: KD101", select=("KD2", "KD001")) == []
    assert codes(found("x = 1  # noqa: KD101", select=("KD1", "KD001"))) == ["KD001"]


@pytest.fixture
def _pragma(monkeypatch):
    install_fake_engine(monkeypatch)
    pragmas = {"no-plain": Pragma(("bad_plain",), Text("meant", "有意"))}
    monkeypatch.setattr(_pragmas, "PRAGMAS", pragmas)


@pytest.mark.usefixtures("_pragma")
@pytest.mark.parametrize(
    "code",
    [
        "x = bad_plain  # kd: no-plain",
        "x = bad_plain  # kd: no-plain (Hinton et al.)",
        "x = bad_plain  #kd:no-plain",
        "# kd: no-plain\nx = bad_plain",
        "# kd: no-plain\n\n# more\nx = (\n  1,\n bad_plain)",
        "def f():  # kd: no-plain\n    if x:\n        return bad_plain",
        "# kd: no-plain\n@d\ndef f():\n    return bad_plain",
        "x = (\n    # kd: no-plain\n    bad_plain,\n)",
    ],
)
def test_a_declared_variant_is_not_reported(code):
    assert found(code) == []


@pytest.mark.usefixtures("_pragma")
def test_a_variant_holds_for_its_statement_and_code_alone():
    assert codes(found("x = 1  # kd: no-plain\ny = bad_plain")) == ["KD201"]
    assert codes(found("# kd: no-plain\nx = 1\ny = bad_plain")) == ["KD201"]
    assert codes(found("x = bad_safe  # kd: no-plain")) == ["KD101"]


@pytest.mark.usefixtures("_pragma")
def test_a_misspelt_variant_is_told_and_prose_is_not():
    (finding,) = found("x = 1  # kd: no-plan")
    assert finding.code == "KD004"
    assert "'no-plain'" in finding.message.en
    assert "'no-plain'" in finding.message.zh
    assert (finding.span.column, finding.span.end_column) == (13, 20)
    assert found("x = 1  # kd: the loss of the teacher\n# kd: loss\n# KD: no-idea") == []
