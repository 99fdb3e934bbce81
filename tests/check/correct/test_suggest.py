"""Suggested edits: each parses, takes its finding away and brings no other."""

import ast
import inspect
from collections import Counter

import pytest

from didact.check import check_source
from didact.check.correct.suggest import deletes_comment
from didact.check.files.source import apply_edits
from didact.check.findings.finding import Edit, Span
from didact.check.rules import RULES

torch = pytest.importorskip("torch")
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"


def findings_of(source):
    return check_source(source, "losses.py")


def mended(source, code):
    """The source after the edit of the first finding of a code."""
    finding = next(f for f in findings_of(source) if f.code == code)
    assert finding.fix is not None, f"{code} has no edit in\n{source}"
    assert finding.fix.safety != "display"
    return apply_edits(source, finding.fix.edits)


def edits_of_examples():
    for rule in RULES.values():
        for finding in findings_of(rule.bad):
            if finding.fix is not None and finding.fix.safety != "display":
                yield pytest.param(rule, finding, id=f"{rule.code}-{finding.span.line}")


EDITS = list(edits_of_examples())


@pytest.mark.parametrize(("rule", "finding"), EDITS)
def test_after_the_edit_the_file_parses_and_the_finding_is_gone(rule, finding):
    changed = apply_edits(rule.bad, finding.fix.edits)
    ast.parse(changed)
    before = Counter(f.code for f in findings_of(rule.bad))
    after = Counter(f.code for f in findings_of(changed))
    assert after[finding.code] < before[finding.code]
    assert not after - before
    assert finding.fix.message.en
    assert finding.fix.message.zh


WITH_EDIT = [
    "KD101", "KD102", "KD103", "KD104", "KD105", "KD106", "KD107", "KD108", "KD109", "KD110",
    "KD111", "KD112", "KD113", "KD114", "KD115", "KD118", "KD120", "KD201", "KD202", "KD203",
    "KD204", "KD205", "KD208", "KD301", "KD302", "KD308", "KD402", "KD403", "KD404", "KD405",
    "KD406", "KD407", "KD502", "KD503", "KD505", "KD506", "KD507", "KD509", "KD602", "KD603",
    "KD607", "KD312", "KD513", "KD514", "KD515",
]  # fmt: skip


def test_these_rules_suggest_an_edit():
    given = {parameter.values[0].code for parameter in EDITS}
    assert not set(WITH_EDIT) - given


def tensors():
    generator = torch.Generator().manual_seed(0)
    student, teacher, third = (torch.randn(6, 5, generator=generator) for _ in range(3))
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    return {
        "student_logits": student, "teacher_logits": teacher, "logits": student, "student": student,
        "teacher": teacher, "old_logits": third, "labels": labels, "a": student, "b": teacher,
        "one_hot": torch.nn.functional.one_hot(labels, 5).float(), "T": 4.0, "temperature": 4.0,
        "teachers_logits": [teacher, third], "known": 3, "k": 3, "alpha": 0.3,
        "student_log_probs": student.log_softmax(1), "teacher_probs": teacher.softmax(1),
        "target": teacher.softmax(1), "log_probs": student.log_softmax(1),
    }  # fmt: skip


def computed(source):
    """What the function of an example gives for these tensors; nothing where it asks for others."""
    namespace: dict[str, object] = {}
    exec(compile(source, "<example>", "exec"), namespace)
    functions = [value for value in namespace.values() if inspect.isfunction(value)]
    own = [f for f in functions if f.__code__.co_filename == "<example>"]
    given = tensors()
    names = list(inspect.signature(own[-1]).parameters) if own else ["?"]
    if not set(names) <= set(given):
        return None
    value = own[-1](**{name: given[name] for name in names})
    return value if isinstance(value, torch.Tensor) else None


COMPARED = [
    "KD101", "KD102", "KD103", "KD104", "KD105", "KD106", "KD110", "KD111", "KD118", "KD201",
    "KD202", "KD204", "KD208", "KD301", "KD603",
]  # fmt: skip


@pytest.mark.parametrize("code", COMPARED)
@pytest.mark.filterwarnings("ignore")
def test_the_mended_example_computes_what_the_good_one_does(code):
    rule = RULES[code]
    right = computed(rule.good)
    assert right is not None
    torch.testing.assert_close(computed(mended(rule.bad, code)), right)


def test_a_power_of_the_temperature_that_stands_elsewhere_is_counted():
    source = RULES["KD202"].bad
    assert "soft * T +" in source
    changed = mended(source, "KD202")
    torch.testing.assert_close(computed(changed), computed(RULES["KD202"].good))
    cubed = source.replace("soft * T +", "soft * T * T * T +")
    assert next(f for f in findings_of(cubed) if f.code == "KD202").fix is None


SOFT = "def kd(student_logits, teacher_logits):\n    return {call}\n"


@pytest.mark.parametrize(
    ("imports", "call", "written"),
    [
        ("import torch\n", "torch.nn.functional.kl_div", "torch.nn.functional.log_softmax("),
        ("from torch import nn\n", "nn.functional.kl_div", "nn.functional.log_softmax("),
        ("import torch.nn.functional as FF\n", "FF.kl_div", "FF.log_softmax("),
        ("from torch.nn import functional as G\n", "G.kl_div", "G.log_softmax("),
        ("", "F.kl_div", "F.log_softmax("),
    ],
)
def test_an_edit_uses_the_names_that_the_file_has(imports, call, written):
    arguments = 'student_logits.softmax(1), teacher_logits.softmax(1), reduction="batchmean"'
    source = imports + SOFT.format(call=f"{call}({arguments})")
    changed = mended(source, "KD101")
    assert written in changed
    assert changed.startswith(imports or "def")


def test_a_module_that_an_edit_needs_is_imported():
    source = RULES["KD507"].bad
    assert "import copy" not in source
    changed = mended(source, "KD507")
    assert changed.count("import copy\n") == 1
    later = '"""Text."""\n\nfrom __future__ import annotations\n\n' + source
    lines = mended(later, "KD507").split("\n")
    assert lines.index("from __future__ import annotations") < lines.index("import copy")
    assert mended("import copy\n" + source, "KD507").count("import copy\n") == 1


COMMENTED = (
    HEAD
    + """def loss(logits, labels):
    return F.cross_entropy(
        F.log_softmax(  # {comment}
            logits, dim=1
        ),
        labels,
    )
"""
)


def test_a_safe_fix_that_would_delete_a_comment_is_unsafe():
    fixes = {
        comment: next(f.fix for f in findings_of(source) if f.code == "KD109")
        for comment, source in (
            ("kept", COMMENTED.format(comment="see the paper")),
            ("none", COMMENTED.replace("  # {comment}", "")),
        )
    }
    assert fixes["none"].safety == "safe"
    assert fixes["kept"].safety == "unsafe"


@pytest.mark.parametrize(
    ("text", "span", "new", "expected"),
    [
        ("f(a,  # why\n  b)", Span(1, 0, 2, 4), "f(a, b)", True),
        ("f(a,  # why\n  b)", Span(1, 0, 2, 4), "f(a,  # why\n  b)", False),
        ("f('# no',\n  b)", Span(1, 0, 2, 4), "f(b)", False),
        ("f(a)  # why", Span(1, 0, 1, 4), "g(a)", False),
        ("f(a,\n  b)  # why", Span(1, 0, 2, 4), "f(b)", False),
        ("变(甲,  # 因为\n  乙)", Span(1, 0, 2, 6), "f(b)", True),
    ],
)
def test_comments_are_told_from_strings(text, span, new, expected):
    assert deletes_comment(text, [Edit(span, new)]) is expected


def test_no_suggestion_deletes_a_comment():
    source = (
        HEAD
        + """def kd(student_logits, teacher_logits):
    return F.kl_div(
        F.softmax(
            student_logits,  # of the small model
            dim=1,
        ),
        F.softmax(teacher_logits, dim=1),
        reduction="batchmean",
    )
"""
    )
    finding = next(f for f in findings_of(source) if f.code == "KD101")
    if finding.fix is not None:
        assert "# of the small model" in apply_edits(source, finding.fix.edits)


def test_a_name_of_another_function_is_not_written():
    """The logits of the helper are not those of its caller."""
    source = (
        HEAD
        + """def soften(logits):
    return F.softmax(logits / 4, dim=1)


def kd(logits, teacher_logits):
    student = model(logits)
    return F.kl_div(soften(student), soften(teacher_logits), reduction="batchmean")
"""
    )
    finding = next(f for f in findings_of(source) if f.code == "KD101")
    if finding.fix is not None:
        changed = apply_edits(source, finding.fix.edits)
        assert "log_softmax(logits" not in changed.split("def kd")[1]
