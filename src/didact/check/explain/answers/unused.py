"""Whether a name of the code does anything."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either
from didact.check.explain.formula.nodes import nodes_of

PLACE = 5
ASKS = either(
    r"do(es)? anything|any effect|used (any|for)|matter|nothing|have an effect|\bdoes it\b|warm"
    r"|schedul|decay|anneal|go(es)? down|change|ramp",
    r"有用吗|有没有用|起作用|用到|没有?(用|作用|效果)|有效果|生效|变化|预热|衰减|退火|下降|随.*变",
)
_TEXT = Text(
    "No: `{name}` is {how} in line {line} and never read after that, so it has no effect.",
    "没有：第 {line} 行的 `{name}`{how}之后再也没有被用到，不起任何作用。",
)
_SET = Text("set", "赋值")
_INSTEAD = Text(
    " The loss reads `{other}` (line {line}), which stays as it is.",
    "损失里用的是 `{other}`（第 {line} 行），它一直不变。",
)
_PARAMETER = Text(
    "No: `{name}` is a parameter (line {line}) that the code never reads, so it has no effect.",
    "没有：参数 `{name}`（第 {line} 行）从头到尾没有被读取，不起任何作用。",
)


def answer(question: str, code: Code) -> Text | None:
    """Where the name that is asked of is set or taken, and never read."""
    read = {n.id for n in code.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    mentioned = code.mentioned(question)
    for name in mentioned:
        if name in read or f".{name}" in code.text:
            continue
        for node in code.nodes:
            if isinstance(node, ast.arg) and node.arg == name:
                return _PARAMETER.format(name=name, line=node.lineno)
    words = set(re.findall(r"[a-z]+|温度|权重", question.lower()))
    for node in code.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name in read or "optim" in ast.unparse(node.value):
            continue
        if code.function_of(node) is None and node in code.tree.body:
            continue
        if name in mentioned or _is_meant(name, words):
            told = _TEXT.format(name=name, how=_SET, line=node.lineno)
            other = _instead(code, name, node)
            return told if other is None else Text(told.en + other.en, told.zh + other.zh)
    return None


def _is_meant(name: str, words: set[str]) -> bool:
    """Whether a schedule's name is what the question speaks of."""
    parts = [p for p in re.split(r"[_\d]+", name) if p]
    temperature = any(p in {"T", "temp", "tau", "temperature"} for p in parts)
    weight = any(p.lower() in {"lam", "lambda", "alpha", "beta", "w", "weight"} for p in parts)
    return (temperature and bool(words & {"temperature", "t", "温度", "tau"})) or (
        weight and bool(words & {"lambda", "lam", "alpha", "weight", "权重", "beta"})
    )


def _instead(code: Code, name: str, node: ast.Assign) -> Text | None:
    """What the loss reads in its place: a name that the unused one is made from."""
    inner = {n.id for n in nodes_of(node.value) if isinstance(n, ast.Name)}
    for part in re.split(r"_", name):
        if part in inner:
            for use in code.nodes:
                if not isinstance(use, ast.Name) or not isinstance(use.ctx, ast.Load):
                    continue
                if use.id == part and use.lineno != node.lineno:
                    return _INSTEAD.format(other=part, line=use.lineno)
    return None
