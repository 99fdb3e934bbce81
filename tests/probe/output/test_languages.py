"""Everything that a user of the probe can read exists in English and in Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.probe.output.languages import both_languages

import didact
from didact._core.i18n import Text
from didact.probe import MISTAKES, all_laws
from didact.probe.forms.label_forms import HEAD_FORMS, LABEL_FORMS
from didact.probe.forms.old_classes import MIXED_FORMS, OLD_FORMS, SQUARE_FORMS, WIDE_FORMS
from didact.probe.forms.wrong import FORMS
from didact.probe.training_step.step import _CHECKS

PACKAGE = Path(didact.__file__).parent
SOURCES = sorted(
    [
        *(PACKAGE / "probe").rglob("*.py"),
        *(PACKAGE / "cli" / name for name in ("_probe.py", "_user_code.py")),
    ]
)
SPEAKERS = {
    "Text", "ProbeError", "holds", "breaks", "advises", "measured", "skipped", "_compared",
    "_special",
}  # fmt: skip
SILENT = {"AttributeError", "AssertionError", "KeyError"}


def spoken(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in SPEAKERS:
                yield node


def literal(node: ast.expr) -> str | None:
    """The text of a string that is written out, with its fields left blank."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [p.value for p in node.values if isinstance(p, ast.Constant)]
        return "".join(str(p) for p in parts)
    return None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_every_message_in_the_source_has_both_languages(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in spoken(tree):
        written = [text for a in call.args if (text := literal(a)) is not None]
        if len(call.args) < 2 or len(written) < 2:
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        start = {"_compared": 0, "_special": 1}.get(name, 0)
        assert both_languages(Text(*written[start : start + 2])), (call.lineno, written)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_every_error_is_one_that_has_both_languages(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    raised = [n.exc for n in ast.walk(tree) if isinstance(n, ast.Raise) and n.exc is not None]
    names = {e.func.id for e in raised if isinstance(e, ast.Call) and isinstance(e.func, ast.Name)}
    assert names <= {"ProbeError", "_unknown"} | SILENT


def test_laws_forms_mistakes_and_checks_speak_both_languages():
    texts = [t for law in all_laws() for t in (law.title, law.maths, law.meaning)]
    forms = (*FORMS, *OLD_FORMS, *WIDE_FORMS, *MIXED_FORMS, *SQUARE_FORMS)
    texts += [each.name for each in (*forms, *LABEL_FORMS, *HEAD_FORMS)]
    texts += [each.text for each in MISTAKES.values()]
    texts += [t for _, title, meaning, _ in _CHECKS for t in (title, meaning)]
    wrong = [t for t in texts if not both_languages(t)]
    assert not wrong


def test_a_message_in_english_alone_is_noticed():
    assert not both_languages(Text("the loss is wrong", "the loss is wrong"))
    assert not both_languages(Text("损失", "损失"))
    assert both_languages(Text("L(t, t) = 0.5", "L(t, t) = 0.5"))


def test_chinese_has_no_half_width_commas_between_chinese_words():
    chinese = re.compile(r"[\u4e00-\u9fff][,;:!?][\u4e00-\u9fff ]")
    texts = [t for law in all_laws() for t in (law.title, law.maths, law.meaning)]
    texts += [each.text for each in MISTAKES.values()]
    assert not [t.zh for t in texts if chinese.search(t.zh)]
