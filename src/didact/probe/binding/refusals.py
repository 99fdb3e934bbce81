"""What is refused before a loss is tried, and what is said when nothing works."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from inspect import Parameter, isclass
from typing import Any

from torch import nn

from didact._core.i18n import Text
from didact.probe.binding.candidates import Slots
from didact.probe.binding.roles import Guess, Role, guess
from didact.probe.binding.words import ROLES
from didact.probe.binding.written import reads
from didact.probe.errors import ProbeError

_SHOWN = 3
"""How many of the ways that failed for one reason a message names."""


def refuse_uncallable(source: Any) -> None:
    """Refuse what cannot be called, or not once it is built."""
    if not callable(source):
        raise ProbeError(
            f"{source!r} cannot be called; expected a function, module or class",
            f"{source!r} 不可调用；应为函数、模块或类",
        )
    if isclass(source) and not issubclass(source, nn.Module) and not _has_call(source):
        name, method = source.__name__, _method_of(source)
        raise ProbeError(
            f"the class {name} cannot be called once it is built; expected a forward or __call__, "
            f"or name one of its methods, as {name}.{method}",
            f"类 {name} 的实例不可调用；应有 forward 或 __call__，或指定其方法，如 {name}.{method}",
        )


def _method_of(source: type) -> str:
    """The method of a class that is likeliest a loss, as an example."""
    plain = [n for n, v in vars(source).items() if inspect.isfunction(v) and not n.startswith("_")]
    return next((n for n in plain if _OF_A_LOSS.search(n)), next(iter(plain), "kd_loss"))


_OF_A_LOSS = re.compile("loss|kd|distill|step|criterion", re.IGNORECASE)


def _has_call(source: type) -> bool:
    return any("__call__" in vars(base) for base in source.__mro__)


def check_names(source: Any, parameters: list[Parameter], given: Mapping[str, Any]) -> None:
    """Refuse a name of the user's that is no parameter, nor part of one."""
    known = [p.name for p in parameters]
    holders = any(guess(p).role == "options" for p in parameters)
    for name in given:
        root = name.partition(".")[0]
        if root not in known and not holders and not ("." in name and reads(source, root)):
            raise ProbeError(
                f"{name!r} is no parameter of the loss; expected one of {known}",
                f"{name!r} 不是该损失的参数；应为 {known} 之一",
            )


def refusal(guesses: Mapping[str, Guess], tried: list[tuple[Slots, Text]]) -> tuple[str, str]:
    """All that was tried, the likeliest first: the ways that failed alike stand together."""
    groups: dict[str, tuple[Text, dict[str, Text]]] = {}
    for slots, reason in tried:
        key = re.sub(r"\d+", "#", reason.en)
        way = _listed((s.name, s.role) for s in slots if not s.fixed)
        groups.setdefault(key, (reason, {}))[1].setdefault(way.en, way)
    if not groups:
        none = Text("no parameter can be the student's output", "没有参数可以作为学生的输出")
        bound = _listed((n, g.role) for n, g in guesses.items())
        groups["none"] = none, {bound.en: bound}
    lines = [_line(reason, list(ways.values())) for reason, ways in groups.values()]
    said = Text(
        "the loss cannot be called with crafted inputs. Tried, the likeliest first:\n{lines}\n"
        "Name the parts with --student NAME, --teacher NAME, --labels NAME, or give "
        "others with --arg NAME=VALUE (a value, or one of student, teacher, labels, mask, model, "
        "batch; NAME.KEY for an entry) and --init NAME=VALUE.",
        "无法用构造的输入调用该损失。已尝试（按可能性排序）：\n{lines}\n"
        "请用 --student NAME、--teacher NAME、--labels NAME 指明各参数，"
        "或用 --arg NAME=VALUE（数值，或 student、teacher、labels、mask、model、batch 之一；"
        "字典项写作 NAME.KEY）、--init NAME=VALUE 给出其余参数。",
    )
    text = Text("\n".join(t.en for t in lines), "\n".join(t.zh for t in lines))
    said = said.format(lines=text)
    return said.en, said.zh


def _line(reason: Text, ways: list[Text]) -> Text:
    """One reason, and the ways that failed for it."""
    more = len(ways) - _SHOWN
    rest = Text(f"; and {more} more ways", f"；另有 {more} 种方式") if more > 0 else Text("", "")
    shown = ways[:_SHOWN]
    return Text(
        f"  {'; '.join(w.en for w in shown)}{rest.en}\n    {reason.en}",
        f"  {'；'.join(w.zh for w in shown)}{rest.zh}\n    {reason.zh}",
    )


def _listed(roles: Iterable[tuple[str, Role]]) -> Text:
    pairs = list(roles)
    if not pairs:
        return Text("no parameter at all", "没有任何参数")
    return Text(
        ", ".join(f"{n} = {ROLES[r].en}" for n, r in pairs),
        "、".join(f"{n} = {ROLES[r].zh}" for n, r in pairs),
    )
