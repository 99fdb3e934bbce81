"""Every rule: its page, its examples, its fixes. Adding a rule file adds its tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import didact.check.rules as package
from didact.check.engine.engine import analyse
from didact.check.findings.finding import Finding, Fix
from didact.check.rules import RULES, Rule, check_source, findings_of
from didact.check.rules._rule import SECTIONS

rules = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
BANDS = {1: "space", 2: "temperature", 3: "reduction", 4: "dimension", 5: "teacher", 6: "weights"}


def findings(source: str) -> list[Finding]:
    try:
        return findings_of(analyse(source))
    except SyntaxError:
        return check_source(source)


@rules
def test_the_bad_example_gives_this_code_alone(rule: Rule) -> None:
    assert {finding.code for finding in findings(rule.bad)} == {rule.code}


@rules
def test_the_good_example_gives_nothing(rule: Rule) -> None:
    assert ast.parse(rule.good).body
    assert findings(rule.good) == []


@rules
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_all_sections_with_text(rule: Rule, language: str) -> None:
    page = rule.page(language)
    assert page.startswith(f"# {rule.code} {rule.name}\n")
    titles = [title for pair in SECTIONS for title in pair[language == "zh" :][:1]]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == titles
    for part in re.split(r"^## .+$", page, flags=re.MULTILINE):
        assert part.strip()
    assert page.count("```python") == 2
    assert bool(re.search("[一-鿿]", page)) == (language == "zh")


@rules
def test_names_codes_and_bands_agree(rule: Rule) -> None:
    assert re.fullmatch(r"KD[1-6]\d\d", rule.code)
    assert rule.topic == BANDS[int(rule.code[2])]
    assert (Path(package.__file__).parent / f"{rule.name.replace('-', '_')}.py").is_file()
    assert rule.catalogue
    assert rule.summary.en.endswith(".")
    assert rule.summary.zh.endswith("。")


@rules
def test_messages_are_filled_and_in_both_languages(rule: Rule) -> None:
    for finding in findings(rule.bad):
        for text in (finding.message.en, finding.message.zh):
            assert text
            assert not re.search(r"\{[a-z_]*\}", text)
        assert re.search("[一-鿿]", finding.message.zh)
        assert not re.search("[一-鿿]", finding.message.en)
        assert not re.search(r"accura|精度", finding.message.en + finding.message.zh)


def apply(source: str, fix: Fix) -> str:
    lines = source.split("\n")
    for edit in sorted(fix.edits, key=lambda e: (e.span.line, e.span.column), reverse=True):
        span = edit.span
        head = lines[span.line - 1][: span.column]
        tail = lines[span.end_line - 1][span.end_column :]
        lines[span.line - 1 : span.end_line] = (head + edit.text + tail).split("\n")
    return "\n".join(lines)


@rules
def test_a_fixed_example_parses_and_has_fewer_findings(rule: Rule) -> None:
    for finding in findings(rule.bad):
        if finding.fix is not None:
            fixed = apply(rule.bad, finding.fix)
            ast.parse(fixed)
            assert len(findings(fixed)) < len(findings(rule.bad))


@pytest.mark.parametrize(
    ("code", "source"),
    [
        (
            "KD109",
            "import torch.nn.functional as F\nl = F.cross_entropy(F.log_softmax(x, dim=1), y)",
        ),
        ("KD403", "import torch.nn.functional as F\np = F.softmax(x.view(-1, 10))"),
    ],
)
def test_safe_fixes_keep_what_the_code_computes(code: str, source: str) -> None:
    finding = next(f for f in findings(source) if f.code == code)
    assert finding.fix is not None
    assert finding.fix.safety == "safe"
    wanted = {
        "KD109": "l = F.cross_entropy(x, y)",
        "KD403": "p = F.softmax(x.view(-1, 10), dim=1)",
    }
    assert apply(source, finding.fix).split("\n")[1] == wanted[code]


def test_a_softmax_of_unknown_rank_has_no_applied_fix() -> None:
    (finding,) = findings("import torch.nn.functional as F\np = F.softmax(x)")
    assert finding.code == "KD403"
    assert finding.fix is None


def test_at_least_45_kinds_of_mistakes_are_covered() -> None:
    kinds = [kind for rule in RULES.values() for kind in rule.catalogue]
    assert len(kinds) == len(set(kinds))
    assert len(kinds) >= 45


@pytest.mark.parametrize(
    "source",
    [
        "def loss(a, b, lambda): return a",
        "loss(a, b, lambda=0.5)",
        "def f(x, lambda=1.0):\n    return lambda * x",
        "def f(a, lambda: float): pass",
    ],
)
def test_lambda_as_a_name_is_found_in_what_does_not_parse(source: str) -> None:
    assert [finding.code for finding in check_source(source)] == ["KD604"]


@pytest.mark.parametrize(
    "source", ["f = lambda x: x +", "sorted(a, key=lambda p: p[0]", "lambda: 1 +"]
)
def test_real_lambdas_are_not_found(source: str) -> None:
    assert check_source(source) == []
