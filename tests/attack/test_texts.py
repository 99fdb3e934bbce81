"""Whatever text comes in, ``explain`` and ``check`` answer: mutated pastes and random programs.

``make attack`` explains 5,000 mutated pastes and draws programs from Python's grammar for ten
minutes; a program with a construct that none before it had joins ``programs.jsonl``, which the
suite explains each time.
"""

from __future__ import annotations

import ast
import json
import os
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.check.snippets.test_any_text import mutated

from didact.check.explain import explain, to_json, to_markdown, to_text
from didact.check.files.document import PythonDocument
from didact.check.running.analysis import CheckContext, engine, engine_for_text, findings_in

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))
PASTES = 5_000 if THOROUGH else 25
SECONDS = 600.0
CORPUS = Path(__file__).with_name("programs.jsonl")
CHECKER = CheckContext(engine(), engine_for_text())

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


def explained(text: str) -> None:
    """In both languages and every format; what comes out can be written and read."""
    explanation = explain(text)
    for language in ("en", "zh"):
        json.loads(to_json(explanation, language))
        to_markdown(explanation, language).encode("utf-8")
        to_text(explanation, language, brief=False, colour=True).encode("utf-8")


def checked(text: str) -> None:
    """The checker says something about it, and not that it failed."""
    for finding in findings_in(PythonDocument(text), "a.py", CHECKER):
        assert finding.code != "KD003", finding.message.en


def constructs(program: str) -> set[str]:
    """Which nodes stand in which."""
    return {
        f"{type(node).__name__}.{type(child).__name__}"
        for node in ast.walk(ast.parse(program))
        for child in ast.iter_child_nodes(node)
    }


def corpus() -> list[str]:
    return [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]


def test_mutated_pastes_are_explained() -> None:
    slowest = 0.0
    for seed in range(10_000, 10_000 + PASTES):
        began = time.process_time()
        explained(mutated(seed))
        slowest = max(slowest, time.process_time() - began)
    print(f"{PASTES} pastes explained; the slowest took {slowest:.1f} s")


def test_kept_programs_are_explained() -> None:
    for program in corpus() if THOROUGH else corpus()[::8]:
        explained(program)
        checked(program)


@pytest.mark.skipif(not THOROUGH, reason="ten minutes; its corpus is explained above")
def test_random_programs_are_explained() -> None:
    hypothesmith = pytest.importorskip("hypothesmith")
    known: set[str] = set().union(*map(constructs, corpus()))
    kept: list[str] = []
    count, end = 0, time.monotonic() + SECONDS

    @settings(
        deadline=None, max_examples=10, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(hypothesmith.from_grammar() | hypothesmith.from_node())
    def some_programs(program: str) -> None:
        nonlocal count
        explained(program)
        checked(program)
        count += 1
        new = constructs(program) - known
        if new and len(program) < 2_000:
            known.update(new)
            kept.append(program)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while time.monotonic() < end:
            some_programs()
    if kept:
        lines = [json.dumps(program) + "\n" for program in (*corpus(), *kept)]
        CORPUS.write_text("".join(lines), "utf-8")
    print(f"{count} programs explained; {len(kept)} with a construct that none before had")
