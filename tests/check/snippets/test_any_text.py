"""Whatever is pasted, recovery ends, does work in proportion to the text, and never raises."""

from __future__ import annotations

import ast
import random

import pytest
from tests.check.snippets.support import expectations, paste

from didact.check.snippet import recover
from didact.check.snippet.segment import Segmenter
from didact.check.snippet.tokens import LEAST_WORK, WORK_PER_CHARACTER, Source

PASTES = [paste(row["file"]) for row in expectations()]

UNITS = [
    "x = f(1) ", "x = f(1)\nprint x\n", "the loss is nan and why ", "为什么损失是负的，", "a(", "(",
    "[1, ", '"', "'''", "#", "# comment x = f(1) ", "# 注释 x = f(1) ", "if a: ", "lambda x: ",
    "a if b ", "else: ", ">>> x = 1\n", "```", "\\", "&lt;", "<br>", "复制代码", "1\n", "1 x = 1\n",
    "+ a = 1\n", "- a\n", "`", "x = 1 # 中文 ", "f(a, ", "1+", "not ", "a.b.", "@a ", "\u200b",
    "\n", "def f(): ", "def f():\nx = 1\n", "class A: ", 'x = "', "E   a\n", " ", "\t", "try: ",
    "Traceback (most recent call last)\n", "for i in x:\ny = i\n", "x, ", "x = ", "{", ")", "。",
    "【代码】", "print x ", "a: b ", "'a", "return ", "name (word ", "raise x ", "> a\n",
    "* a = 1\n",
    "if k == 1:\nx = 1\nelif k == 2:\nx = 2\n", "copy ", "In [1]: x ", "x = f(1) 这里 ", "-> ",
]  # fmt: skip

LOSS = (
    "kd = F.kl_div(F.log_softmax(s / T, dim=1), F.softmax(t / T, dim=1), reduction='batchmean') "
    "loss = ce + T * T * kd #总损失 "
)


@pytest.mark.parametrize("unit", UNITS)
def test_work_grows_with_the_text_only(unit: str) -> None:
    short, long = (Source((unit * 8000)[:size]) for size in (2000, 8000))
    for source in (short, long):
        Segmenter(source).pieces_of_text()
    assert long.handed_out <= LEAST_WORK + (WORK_PER_CHARACTER + 1) * len(long.raw)
    assert long.handed_out <= 5 * short.handed_out + LEAST_WORK


@pytest.mark.parametrize("unit", UNITS)
def test_repeated_units_end(unit: str) -> None:
    recovered = recover((unit * 4000)[:4000])
    assert len(recovered.line_map) == recovered.source.count("\n")


def test_a_hundred_kilobytes_on_one_line_are_recovered() -> None:
    count = 100_000 // len(LOSS)
    recovered = recover(LOSS * count)
    assert len(recovered.tree.body) == 2 * count


def test_a_hundred_kilobytes_on_many_lines_are_recovered() -> None:
    block = "for x in loader:\nloss = F.mse_loss(net(x), old(x))\nloss.backward()\nprint loss\n"
    count = 100_000 // len(block)
    recovered = recover(block * count)
    assert sum(isinstance(node, ast.For) for node in recovered.tree.body) == count


def test_of_a_megabyte_the_beginning_is_read() -> None:
    recovered = recover(LOSS * (1_000_000 // len(LOSS)))
    assert len(recovered.tree.body) > 1000
    assert "very long" in recovered.guesses[0].en


_SPLICES = [
    "(", ")", "[", "]", "{", "}", '"', "'", '"""', "#", ":", ";", "\\", "\n", "\n\n", "    ", "\t",
    "，", "：", "（", "“", "注释", "为什么", " else: ", " lambda ", " print x ", ">>> ", "In [1]: ",
    "```", "```python\n", "<br>", "&lt;", "&nbsp;", "1. ", "+", "- ", "> ", "$ ls\n",
    "@@ -1 +1 @@\n",
    "Traceback (most recent call last):\n", "E   x\n", "\x00", "\u200b", "\ud800", "\r",
    "复制代码\n",
    "async ", "await ", "return ", "if you ", "…", "``", "~~~", '{"cell_type": "code", "source": [',
]  # fmt: skip


def mutated(seed: int) -> str:
    """A paste with one to six random changes."""
    rng = random.Random(seed)
    text = rng.choice(PASTES)
    for _ in range(rng.randint(1, 6)):
        at, to = sorted(rng.choices(range(len(text) + 1), k=2))
        to = min(to, at + rng.choice([1, 3, 40]))
        text = rng.choice(
            [
                text[:at] + text[to:],
                text[:at] + rng.choice(_SPLICES) + text[at:],
                text[:at] + text[at:to] * 2 + text[to:],
                text[:at] + rng.choice(PASTES)[: to - at] + text[at:],
                text.replace("\n", rng.choice([" ", "", "\n\n"]), rng.randint(1, 9)),
                text[:at] + text[at:to][::-1] + text[to:],
            ]
        )
    return text


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("start", range(0, 300, 50))
def test_mutated_pastes_never_raise(start: int) -> None:
    for seed in range(start, start + 50):
        recovered = recover(mutated(seed))
        ast.parse(recovered.source)
        assert len(recovered.line_map) == recovered.source.count("\n"), seed
