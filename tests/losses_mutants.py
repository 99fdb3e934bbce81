"""Faults planted in the source of each loss, and the law that catches each.

    python tests/losses_mutants.py        writes docs/loss-mutations.md

The faults are those that public distillation code really has. Each is a replacement in the text of
a loss, or of a helper it stands on; the faulty copy is imported beside the real one and must break
a law of ``losses_checks.py``.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import didact.losses
from didact.losses import CARDS
from losses_checks import CHECKS, VARIANTS
from losses_support import BROKEN_LAWS, Case, Sizes, load_registries, make_case

load_registries()

HERE = Path(__file__).parent
TABLE = HERE.parent / "docs" / "loss-mutations.md"
PACKAGE = "didact.losses"
KEPT = f"{PACKAGE}._card"
HELPERS = {
    "_precision": ("kd_mean_probs", "reverse_kl", "dkd"),
    "_reduce": ("reverse_kl",),
    "_pair": ("reverse_kl",),
    "_fused": ("kd", "cross_entropy_and_kd"),
    "_fused_rows": ("kd", "cross_entropy_and_kd", "kd_mean_probs"),
    "_node": ("reverse_kl", "total_variation"),
    "_small": ("kd", "kd_mean_probs"),
    "_teacher_sum": ("kd_weighted_sum",),
}
"""Shared files, each with losses that stand on it, one of which must break a law."""


@dataclass(frozen=True)
class Fault:
    name: str
    pattern: str
    replacement: str | Callable[[re.Match[str]], str]


def _swap_sides(match: re.Match[str]) -> str:
    sides = {"student": "teacher", "teacher": "student"}
    return re.sub("student|teacher", lambda m: sides[m[0]], match[0])


FAULTS = [
    Fault("sides swapped", r"(?m)^.*student.*teacher.*$|^.*teacher.*student.*$", _swap_sides),
    Fault("T squared missing", r" \* \(?temperature\*\*2\)?", ""),
    Fault("T instead of T squared", r"temperature\*\*2", "temperature"),
    Fault("not divided by T", r" / temperature\b", ""),
    Fault("mean over classes", r"\.sum\(-1", ".mean(-1"),
    Fault("sum over samples instead of classes", r"\.sum\(-1", ".sum(0"),
    Fault("mean instead of sum", r"\.sum\(\)", ".mean()"),
    Fault("softmax over samples", r"softmax\((\w+), (?:dim=)?-1\)", r"softmax(\1, 0)"),
    Fault("other dimension", r"\.(mean|amax|logsumexp|cumsum)\(-1", r".\1(0"),
    Fault("minus became plus", r"(?m)(?<=[\w)\]]) - (?=[\w(])(?!1\b)", " + "),
    Fault("teacher not detached", r"\.detach\(\)", ""),
    Fault("half precision kept", r"in_float\(", "("),
    Fault("mask ignored", r"blank_masked\((\w+(?:\.detach\(\))?), mask\)", r"\1"),
    Fault("squares forgotten", r"\.square\(\)", ""),
]


BESIDE_THE_LAWS = ("initial_variance - _LEAST_VARIANCE",)
"""Lines that set what a module's parameters start from, which its reference reads."""


@dataclass(frozen=True)
class Mutant:
    losses: tuple[str, ...]
    file: str
    fault: str
    line: str
    source: str


def mutants() -> Iterator[Mutant]:
    """Every place of every fault, in the files of the losses and in the shared ones."""
    found: dict[tuple[str, str, str], Mutant] = {}
    for name, card in sorted(CARDS.items()):
        module = sys.modules[card.function.__module__]
        for mutant in _plant((name,), module, _open_lines(module, of=card.function.__name__)):
            key = (mutant.file, mutant.fault, mutant.source)
            same = found.get(key)  # in a private function that several losses stand on
            users = (*same.losses, name) if same else (name,)
            found[key] = replace(mutant, losses=users)
    yield from found.values()
    for file, name in HELPERS.items():
        module = importlib.import_module(f"{PACKAGE}.{file}")
        yield from _plant((name,), module, _open_lines(module, of=None))


def _open_lines(module: types.ModuleType, *, of: str | None) -> set[int]:
    """Lines of code of one public function and of the private ones; docstrings are left alone."""
    lines: set[int] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if of is not None and node.name != of and not node.name.startswith("_"):
            continue
        if of is None and node.name.startswith("check_"):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.FunctionDef):
                first = inner.body[1:] if ast.get_docstring(inner) else inner.body
                for statement in first:
                    lines.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return lines


def _plant(names: tuple[str, ...], module: types.ModuleType, lines: set[int]) -> Iterator[Mutant]:
    source = inspect.getsource(module)
    for fault in FAULTS:
        for match in re.finditer(fault.pattern, source):
            number = source.count("\n", 0, match.start()) + 1
            text = source.splitlines()[number - 1].strip()
            if number not in lines or text.startswith(("raise", "check", '"', 'f"', "#")):
                continue
            if any(part in text for part in BESIDE_THE_LAWS):
                continue
            put = fault.replacement
            new = put(match) if callable(put) else match.expand(put)
            changed = source[: match.start()] + new + source[match.end() :]
            if changed != source and _is_python(changed):
                file = module.__name__.rpartition(".")[2]
                yield Mutant(names, file, fault.name, text, changed)


def _is_python(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


@contextlib.contextmanager
def _separate_import() -> Iterator[None]:
    """Modules of the package are imported anew inside, and the real ones are back afterwards."""
    real = {n: m for n, m in sys.modules.items() if n.startswith(f"{PACKAGE}._") and n != KEPT}
    cards, attributes = dict(CARDS), dict(vars(didact.losses))
    for name in real:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [n for n in sys.modules if n.startswith(f"{PACKAGE}._") and n != KEPT]:
            del sys.modules[name]
        sys.modules.update(real)
        CARDS.clear()
        CARDS.update(cards)
        vars(didact.losses).update(attributes)


def load(mutant: Mutant, loss: str) -> Callable[..., object]:
    """A loss standing on the text of a mutant."""
    with _separate_import():
        name = f"{PACKAGE}.{mutant.file}"
        faulty = types.ModuleType(name)
        sys.modules[name] = faulty
        setattr(didact.losses, mutant.file, faulty)
        exec(compile(mutant.source, name, "exec"), vars(faulty))
        home = importlib.import_module(CARDS[loss].function.__module__)
        return getattr(home, CARDS[loss].function.__name__)


def caught_by(mutant: Mutant) -> str | None:
    """The first law that a loss of the mutant breaks, or None."""
    for loss in mutant.losses:
        try:
            case = make_case(loss, function=load(mutant, loss))
        except Exception:  # noqa: BLE001
            return "cannot be built"
        broken = _broken_law(case)
        if broken:
            return broken
    return None


def _broken_law(case: Case) -> str | None:
    for check in CHECKS.values():
        if not check.applies(case) or (case.card.name, check.name) in BROKEN_LAWS:
            continue
        if check.name == "compiles_without_a_break":
            continue  # slow, and about none of these faults
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check.law(case)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001
            return check.name
    return None


def changes_no_number(mutant: Mutant) -> bool:
    """Whether values and gradients are those of the real loss, whatever the options.

    Such a change is no fault: a square does not mind which side is subtracted from which.
    """
    return all(
        _same(make_case(loss, sizes, function=load(mutant, loss)), make_case(loss, sizes))
        for loss in mutant.losses
        for sizes in (Sizes(), Sizes(seed=3, dtype=torch.float32, classes=6))
    )


def _same(mutant: Case, real: Case) -> bool:
    for options in _options(real):
        tolerance = 1e-12 if real.sizes.dtype == torch.float64 else 2e-6
        pairs = [(mutant.loss(**options), real.loss(**options))]
        pairs += zip(mutant.gradients(**options), real.gradients(**options), strict=True)
        for found, expected in pairs:
            if not torch.allclose(found, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
                return False
    return True


def _options(case: Case) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [{}]
    found += [{o: v} for o, values in VARIANTS.items() if case.takes(o) for v in values]
    if case.takes("reduction"):
        found += [{"reduction": "sum"}, {"reduction": "none"}]
    if case.takes("mask") and case.takes("reduction"):
        mask = torch.tensor([True, False, True, True])
        logits = torch.where(mask[:, None], case.inputs["student_logits"], torch.nan)
        found += [{"mask": mask, "student_logits": logits}]
    return found


def run() -> tuple[list[tuple[Mutant, str]], list[Mutant]]:
    """Mutants that a law caught, and those that none did."""
    caught, alive = [], []
    for mutant in mutants():
        check = caught_by(mutant)
        if check is None:
            alive.append(mutant)
        else:
            caught.append((mutant, check))
    return caught, alive


def places() -> dict[tuple[str, str], int]:
    """How often each fault is planted in each file."""
    found: dict[tuple[str, str], int] = {}
    for mutant in mutants():
        key = (mutant.file, mutant.fault)
        found[key] = found.get(key, 0) + 1
    return found


def table(caught: list[tuple[Mutant, str]], alive: list[Mutant]) -> str:
    """The page ``docs/loss-mutations.md``."""
    laws: dict[tuple[str, str], list[str]] = {}
    for mutant, check in caught:
        laws.setdefault((mutant.file, mutant.fault), []).append(check)
    rows = [
        f"| `{file}.py` | {fault} | {count} | {len(laws.get((file, fault), []))} | "
        f"{', '.join(sorted(set(laws.get((file, fault), [])))).replace('_', ' ')} |"
        for (file, fault), count in sorted(places().items())
    ]
    return "\n".join(
        [
            "# Planted faults",
            "",
            "Each loss is copied with one fault planted in its text, at every place where the",
            "pattern of the fault occurs, and the contract suite is run on the copy. Written by",
            "`python tests/losses_mutants.py`; a test checks this page and runs a part of it.",
            "",
            f"{len(caught) + len(alive)} faults planted, {len(caught)} caught. The other",
            f"{len(alive)} alter no value and no gradient, such as the order of the sides in a",
            "squared distance: that they do not is computed too, over every option of the loss.",
            "",
            "| file in `didact/losses` | fault | planted | caught | by the laws |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    found, survivors = run()
    for survivor in survivors:
        if not changes_no_number(survivor):
            print(f"ALIVE {survivor.file}: {survivor.fault}: {survivor.line}")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(found, survivors), encoding="utf-8")
    print(f"{len(found)} caught, {len(survivors)} without an effect")
