"""Faults planted in the source of each loss, and the law that catches each.

    python docs/generate_loss_mutations.py        writes docs/loss-mutations.md

The faults are those that public distillation code really has. Each is a replacement in the text of
a loss, or of a helper it stands on; the faulty copy is imported beside the real one and must break
a law of ``checks.py``.
"""

from __future__ import annotations

import ast
import contextlib
import functools
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
from tests.losses.checks import CHECKS, VARIANTS
from tests.losses.families import FAMILIES, applies, faulty
from tests.losses.support import BROKEN_LAWS, Case, Sizes, load_registries, make_case

import didact.losses
from didact.losses import CARDS

load_registries()

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "loss-mutations.md"
PACKAGE = "didact.losses"
KEPT = f"{PACKAGE}.kit.registry"
UNPLANTED = {
    "kit.registry",
    "kit.checks",
    "kit.ranks",
}
"""Shared files that compute no loss: what one says of itself, refusals, processes, memory."""
USERS = 5
"""A fault in a shared file is run in so many of the losses that stand on the faulty function."""


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
    Fault("classes from the wrong end", r"\[\.\.\., :(\w+)\]", r"[..., -\1:]"),
    Fault("sign turned", r"(?<=return )-(?=[\w(])", ""),
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
    for file in shared_files():
        module = importlib.import_module(f"{PACKAGE}.{file}")
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                lines = _open_lines(module, of=None) & set(_span(node))
                yield from _plant(_users(file, node.name), module, lines)


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or 0) + 1)


def shared_files() -> list[str]:
    """The files that losses stand on and that have no loss of their own."""
    return sorted(set(_all_files()) - _homes().keys())


@functools.cache
def _homes() -> dict[str, list[str]]:
    """The files of the losses, and the losses of each."""
    homes: dict[str, list[str]] = {}
    for name, card in sorted(CARDS.items()):
        homes.setdefault(card.function.__module__.removeprefix(f"{PACKAGE}."), []).append(name)
    return homes


@functools.cache
def _users(file: str, function: str) -> tuple[str, ...]:
    """Losses that stand on a function of a shared file, those nearest to it first, of all kinds."""
    losses = {(h, CARDS[n].function.__name__): n for h, names in _homes().items() for n in names}
    near = [(file, function)]
    for place in near:
        near += dict.fromkeys(user for user in _callers().get(place, []) if user not in near)
    names = [losses[place] for place in near if place in losses]
    families = [CARDS[name].family for name in names]
    rank = {name: families[:k].count(families[k]) for k, name in enumerate(names)}
    return tuple(sorted(names, key=lambda name: (rank[name], names.index(name)))[:USERS])


@functools.cache
def _callers() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """For each function, by file and name, the functions of all files that refer to it."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for file in _all_files():
        body = ast.parse(inspect.getsource(importlib.import_module(f"{PACKAGE}.{file}"))).body
        defined = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        known = {name: (other, name) for other, taken in _imports(file).items() for name in taken}
        known |= {node.name: (file, node.name) for node in defined}
        for node in defined:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and part.id in known:
                    found.setdefault(known[part.id], []).append((file, node.name))
                elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                    of = (part.value.id, part.attr)  # of another file, imported as a whole
                    found.setdefault(of, []).append((file, node.name))
    return found


@functools.cache
def _all_files() -> list[str]:
    files = sorted(_homes())
    for file in files:
        files += [f for f in _imports(file) if f not in files and f not in UNPLANTED]
    return files


@functools.cache
def _imports(file: str) -> dict[str, set[str]]:
    """What a file imports, by the other files of the package."""
    found: dict[str, set[str]] = {}
    for node in ast.parse(inspect.getsource(importlib.import_module(f"{PACKAGE}.{file}"))).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found[node.module.removeprefix(f"{PACKAGE}.")] = {alias.name for alias in node.names}  # type: ignore[union-attr]
    return found


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
                file = module.__name__.removeprefix(f"{PACKAGE}.")
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
    real = {n: m for n, m in sys.modules.items() if n.startswith(f"{PACKAGE}.") and n != KEPT}
    cards, attributes = dict(CARDS), dict(vars(didact.losses))
    for name in real:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [n for n in sys.modules if n.startswith(f"{PACKAGE}.") and n != KEPT]:
            del sys.modules[name]
        sys.modules.update(real)
        CARDS.clear()
        CARDS.update(cards)
        vars(didact.losses).update(attributes)


WAYS: dict[str, list[dict[str, int]]] = {
    "kit.maps": [{}, {"_FEW": 0}],
    "fast.features": [{}, {"CHUNK": 8}],
    "fast.kl_rows": [{"SMALL": 0}, {"SMALL": 0, "CHUNK": 8}],
    "kit.pairwise": [{}, {"_MANY": 0}],
}
"""Sizes set aside in a file, so that the small inputs of the laws take each of its ways."""


def ways(mutant: Mutant) -> list[dict[str, int]]:
    """The settings under which the laws are run on a mutant."""
    return WAYS.get(mutant.file, [{}])


def load(mutant: Mutant, loss: str, way: dict[str, int]) -> Callable[..., object]:
    """A loss standing on the text of a mutant."""
    with _separate_import():
        name = f"{PACKAGE}.{mutant.file}"
        faulty = types.ModuleType(name)
        sys.modules[name] = faulty
        setattr(didact.losses, mutant.file, faulty)
        exec(compile(mutant.source, name, "exec"), vars(faulty))
        vars(faulty).update(way)
        home = importlib.import_module(CARDS[loss].function.__module__)
        return getattr(home, CARDS[loss].function.__name__)


def untouched(file: str) -> Iterator[tuple[Mutant, dict[str, int]]]:
    """The real text of a file, and each setting that its small inputs do not have by themselves."""
    source = inspect.getsource(importlib.import_module(f"{PACKAGE}.{file}"))
    losses = tuple(_homes()[file]) if file in _homes() else _all_users(file)
    yield from ((Mutant(losses, file, "none", "", source), way) for way in WAYS[file] if way)


def _all_users(file: str) -> tuple[str, ...]:
    names = {
        name for place, function in _callers() if place == file for name in _users(file, function)
    }
    return tuple(sorted(names))


def caught_by(mutant: Mutant) -> str | None:
    """The first law that a loss of the mutant breaks, or None."""
    for loss in mutant.losses:
        for way in ways(mutant):
            broken = broken_law(make_case(loss, function=load(mutant, loss, way)))
            if broken:
                return broken
    return None


def broken_law(case: Case) -> str | None:
    """The first law that a case breaks, but for the slow one that knows none of these faults."""
    for check in CHECKS.values():
        if not check.applies(case) or (case.card.name, check.name) in BROKEN_LAWS:
            continue
        if check.name != "compiles_without_a_break" and breaks(case, check.name):
            return check.name
    return None


def breaks(case: Case, law: str) -> bool:
    """Whether a case breaks a law."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CHECKS[law].law(case)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001
        return True
    return False


def changes_no_number(mutant: Mutant) -> bool:
    """Whether values and gradients are those of the real loss, whatever the options.

    Such a change is no fault: a square does not mind which side is subtracted from which.
    """
    return all(
        _same(make_case(loss, sizes, function=load(mutant, loss, way)), make_case(loss, sizes))
        for loss in mutant.losses
        for way in ways(mutant)
        for sizes in (Sizes(), Sizes(seed=3, dtype=torch.float32, classes=6))
    )


def _same(mutant: Case, real: Case) -> bool:
    for options in _options(real):
        tolerance = 1e-12 if real.sizes.dtype == torch.float64 else 2e-6
        pairs = [(mutant.loss(**options), real.loss(**options))]
        pairs += [(c.having(**options).leaves()[0].loss() for c in (mutant, real))]
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


def families() -> dict[tuple[str, str], str | None]:
    """The law that catches each loss committing each fault of its own; None where it cannot."""
    return {
        (name, family): broken_law(faulty(name, family)) if applies(name, family) else None
        for name in sorted(CARDS)
        for family in FAMILIES
    }


NOT_BY_IT = "-"


def table(
    caught: list[tuple[Mutant, str]],
    alive: list[Mutant],
    committed: dict[tuple[str, str], str | None],
) -> str:
    """The page ``docs/loss-mutations.md``."""
    laws: dict[tuple[str, str], list[str]] = {}
    for mutant, check in caught:
        laws.setdefault((mutant.file, mutant.fault), []).append(check)
    rows = [
        f"| `{file}.py` | {fault} | {count} | {len(laws.get((file, fault), []))} | "
        f"{', '.join(sorted(set(laws.get((file, fault), [])))).replace('_', ' ')} |"
        for (file, fault), count in sorted(places().items())
    ]
    own = [
        f"| `{name}` | "
        + " | ".join((committed[name, f] or NOT_BY_IT).replace("_", " ") for f in FAMILIES)
        + " |"
        for name in sorted(CARDS)
    ]
    return PAGE.format(
        planted=len(caught) + len(alive),
        caught=len(caught),
        alive=len(alive),
        committed=sum(law is not None for law in committed.values()),
        families=" | ".join(FAMILIES),
        lines="---|" * (1 + len(FAMILIES)),
        own="\n".join(own),
        rows="\n".join(rows),
    )


PAGE = """# Planted faults

Two ways of making each loss wrong, and the law of the contract suite that notices. Written by
`python docs/generate_loss_mutations.py`; a test checks this page and runs a part of it.

## Faults that each loss commits

Every loss, whatever its text, is made to commit the six faults of public distillation code that
its inputs allow: {committed} faults, each caught by the law named. A `-` stands where a loss cannot
commit one: it has no temperature, or no classes, its checks refuse the other order, or nothing
changes by it.

| loss | {families} |
|{lines}
{own}

## Faults in the text

Each file is copied with one fault planted, at every place where the pattern of the fault occurs,
and the contract suite is run on the losses that stand on it. {planted} faults planted, {caught}
caught. The other {alive} alter no value and no gradient of these losses, such as the order of the
sides in a squared distance, a second detachment, or a conversion of what is float32 already: that
they do not is computed too, over every option of the losses. Ways of computing that only large
inputs take are given the small ones of the laws.

| file in `didact/losses` | fault | planted | caught | by the laws |
|---|---|---|---|---|
{rows}
"""


def write() -> None:
    """Plant all faults and write the page."""
    found, survivors = run()
    for survivor in survivors:
        if not changes_no_number(survivor):
            print(f"ALIVE {survivor.file}: {survivor.fault}: {survivor.line}")
    by_loss = families()
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(found, survivors, by_loss), encoding="utf-8")
    print(f"{len(found)} caught, {len(survivors)} without an effect")
