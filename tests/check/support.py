"""A small engine that finds what it is told to, so that the shell can be tested by itself."""

import ast
from dataclasses import dataclass
from pathlib import Path

from didact._core.i18n import Text
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span
from didact.check.running.analysis import CheckContext
from didact.check.running.options import Options
from didact.check.wanted.config import Settings
from didact.check.wanted.select import Selection

KINDS = {
    "bad_safe": ("KD101", Severity.ERROR, "safe", "good"),
    "bad_unsafe": ("KD102", Severity.WARNING, "unsafe", "good"),
    "bad_shown": ("KD103", Severity.INFO, "display", "good"),
    "bad_broken": ("KD104", Severity.ERROR, "safe", "good("),
    "bad_worse": ("KD105", Severity.ERROR, "safe", "bad_safe(bad_safe)"),
    "bad_plain": ("KD201", Severity.WARNING, None, ""),
}
"""Name in the source -> code, severity, safety of the fix, what the fix writes."""


def fake_analyse(source: str, *, path: str, tree: ast.Module | None = None) -> list[Finding]:
    """A finding for each name in ``KINDS``; ``boom`` breaks the engine."""
    found = []
    lines = source.split("\n")
    for node in ast.walk(tree or ast.parse(source)):
        if isinstance(node, ast.Name):
            if node.id == "boom":
                raise ZeroDivisionError("boom")
            if node.id in KINDS:
                found.append(_finding(node, lines))
    return found


def _finding(node: ast.Name, lines: list[str]) -> Finding:
    code, severity, safety, replacement = KINDS[node.id]
    column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
    span = Span(node.lineno, column, node.lineno, column + len(node.id))
    fix = None
    if safety is not None:
        what = Text(f"write {replacement}", f"改写为 {replacement}")
        fix = Fix((Edit(span, replacement),), safety, what)
    message = Text(f"{node.id} is bad: 1/100 of it", f"{node.id} 不对：只有公式的 1/100")
    return Finding(code, severity, span, message, fix)


def fake_relevant(data: bytes) -> bool:
    return b"bad_" in data or b"boom" in data


def fake_context(*, select=("KD",)) -> CheckContext:
    selection = Selection(select)
    return CheckContext(fake_analyse, wants=selection.wants)


def fake_options(root: Path | None = None, *, selection=None, **changes) -> Options:
    settings = changes.pop("settings", None) or Settings(
        root=root or Path.cwd(), selection=selection or Selection()
    )
    return Options(settings, analyse=fake_analyse, relevant=fake_relevant, **changes)


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


@dataclass(frozen=True)
class FakeRule:
    summary: Text
    catalogue: tuple[str, ...]
    check_source: None = None

    def page(self, language):
        return f"# {self.summary.pick(language)}\n"


FAKE_RULES = {
    code: FakeRule(Text(f"about {name}", f"关于 {name}"), (name,))
    for name, (code, *_) in KINDS.items()
}


def install_fake_engine(monkeypatch) -> None:
    """Let the commands run on the small engine and know its codes."""
    monkeypatch.setattr("didact.check.rules.RULES", FAKE_RULES, raising=False)
    monkeypatch.setattr("didact.check.running.one.engine", lambda *_, **__: fake_analyse)
    monkeypatch.setattr("didact.check.engine.index.relevant", fake_relevant)
