"""Terminal text, Markdown and JSON of an explanation."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didact._core.i18n import Language
from didact.check.explain import explain, to_json, to_markdown, to_text
from didact.check.explain.layout import COLUMNS, width, wrap
from didact.check.explain.own import PAGES

FIXTURES = Path(__file__).parents[1] / "snippets" / "fixtures"
NAMES = [
    "cil_loop_one_line_zh",
    "lambda_parameter_all_wrong",
    "right_kd_zh",
    "weight_align_herding",
]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_json_has_exactly_these_keys(name: str, language: Language) -> None:
    explanation = explain((FIXTURES / f"{name}.txt").read_text(encoding="utf-8"))
    document = json.loads(to_json(explanation, language))
    assert list(document) == [
        "summary",
        "verdict",
        "framework",
        "asked",
        "roles",
        "formula",
        "findings",
        "corrected",
        "statements",
        "questions",
        "guesses",
    ]
    assert document["verdict"]["outcome"] in {"equal", "departs", "unknown", "none"}
    assert all(set(r) == {"name", "role", "reason"} for r in document["roles"])
    for loss in document["formula"]["written"]:
        assert loss["mathml"].startswith("<math ")
        assert loss["tree"]["kind"] in {"call", "given", "choice", "each", "text", "constant"}
    assert all(set(s) == {"line", "code", "explanation"} for s in document["statements"])
    assert all(
        set(f) == {"code", "line", "severity", "message", "mended"} for f in document["findings"]
    )
    assert all(set(q) == {"question", "answer"} for q in document["questions"])
    assert all(isinstance(guess, str) for guess in document["guesses"])
    ast.parse(document["corrected"])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_terminal_prose_fits_eighty_columns(name: str, language: Language) -> None:
    explanation = explain((FIXTURES / f"{name}.txt").read_text(encoding="utf-8"))
    text = to_text(explanation, language)
    for line in text.split("\n"):
        assert width(line) <= COLUMNS, line
    assert text == to_text(explain((FIXTURES / f"{name}.txt").read_text("utf-8")), language)


def test_markdown_keeps_fences_apart() -> None:
    explanation = explain('s = """\n```\n"""\nloss = kd(a, b)\n')
    markdown = to_markdown(explanation, "en")
    assert "````python" in markdown
    assert markdown.count("\n## ") >= 3


def test_chinese_lines_do_not_begin_with_closing_punctuation() -> None:
    lines = wrap("蒸馏损失使学生模仿教师的软标签，" * 12, "    ")
    assert len(lines) > 3
    assert all(not line.strip().startswith("，") for line in lines)
    assert all(width(line) <= COLUMNS for line in lines)


_PARTS = """x = f(y)
loss = F.kl_div(a, b)
a = F.softmax(z / T, dim=0)
def f(a, lambda): return a
for t in teachers:
with torch.no_grad():
return x
x[:0:k]
lambda x: x
# 注释
class A(nn.Module):
if x: y = {}
del x
try:
x @ y
z: int = 3
a.b.c().d[1:2] = 3
f'{x}'
async def g(): await x
x = yield
*a, b = c
global q
raise E from e
print(f'{x} {y!r}', {1: 2})
log(f'{z}')
out.append({'a': [b]})
y = f({'k': {}}, *a, **b)
"""
_SNIPPETS = st.lists(st.sampled_from(_PARTS.split("\n")), max_size=12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@settings(max_examples=120, deadline=None)
@given(_SNIPPETS, st.sampled_from([" ", "\n", "\n    "]))
def test_any_paste_is_explained(parts: list[str], glue: str) -> None:
    explanation = explain(glue.join(parts))
    for language in ("en", "zh"):
        document = json.loads(to_json(explanation, language))
        ast.parse(document["corrected"])
        assert to_text(explanation, language)
        assert to_markdown(explanation, language)
    assert len(explanation.statements) == sum(
        isinstance(n, ast.stmt) for n in ast.walk(ast.parse(explanation.source))
    )


@pytest.mark.parametrize("page", ["explain.md", "explain.zh-CN.md"])
def test_the_documentation_names_every_code_and_key(page: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    keys = json.loads(to_json(explain("x = f(1)"), "en"))
    assert all(f"`{name}`" in text for name in [*PAGES, *keys])
