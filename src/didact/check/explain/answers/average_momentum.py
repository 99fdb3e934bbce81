"""What the momentum of a moving average of weights does."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either

PLACE = 15
ASKS = either(
    r"momentum|decay|\bm\b|\bema\b|slow|fast|0?\.99\d*",
    r"动量|衰减|越大|滑动|ema|更新.{0,4}(慢|快)|0?\.99\d*",
)
_ASKS = either(
    r"what|larger|slow|fast|why|mean|how|keep|does|too (high|large|low|small)",
    r"越|慢|快|什么|为什么|多少|作用|意思|太大|太小|吗",
)
_KEPT = re.compile(
    r"\.mul_\((?P<a>[\w.]+)\)\.add_\([^\n]*\(?1(?:\.0?)? - (?P=a)\)?|"
    r"\.mul_\((?P<b>[\w.]+)\)\.add_\([^\n]*alpha=1(?:\.0?)? - (?P=b)|"
    r"(?P<t>[\w.]+) = (?P<c>[\w.]+) \* (?P=t) \+ \(1(?:\.0?)? - (?P=c)\) \*|"
    r"(?P<u>[\w.]+) = (?P=u) \* (?P<d>[\w.]+) \+ [\w.]+ \* \(1(?:\.0?)? - (?P=d)\)"
)
_TEXT = Text(
    "Each step keeps `{m}` of the averaged model and takes 1 − `{m}` of the other: the nearer "
    "`{m}` is to 1, the slower it follows. It averages over about the last 1/(1 − {m}) "
    "steps{steps}.",
    "每一步保留 `{m}` 份被平均的模型，加上 1 − `{m}` 份另一个模型：`{m}` 越接近 1，更新越慢。大约"
    "相当于对最近 1/(1 − {m}) 步取平均{steps}。",
)
_STEPS = Text(" ({n} at {value})", "（{value} 时约 {n} 步）")


def answer(question: str, code: Code) -> Text | None:
    """Where the weights of one model are averaged into another, in the right way round."""
    found = _KEPT.search(code.text)
    if found is None or not _ASKS.search(question) or code.kinds & {"EMA-REVERSED"}:
        return None
    if any(re.search(r"averag|滑动平均|EMA", f.message.en + f.message.zh) for f in code.serious):
        return None
    name = next(found[g] for g in "abcd" if found[g])
    short = name.rsplit(".", 1)[-1]
    if not re.search(
        rf"\b{re.escape(short)}\b|momentum|decay|ema|动量|衰减|滑动|更新|0?\.99", question
    ):
        return None
    told = re.search(rf"\b{re.escape(short)}=(0?\.\d+)", code.text.replace(" ", ""))
    value = float(told[1]) if told is not None else 0.0
    steps = (
        _STEPS.format(n=round(1 / (1 - value)), value=f"{value:g}")
        if 0 < value < 1
        else Text("", "")
    )
    said = _TEXT.format(m=short, steps=steps)
    yes = re.search(r"(larger|higher|越大).*(slow|慢)", question)
    return Text("Yes. " + said.en, "是的。" + said.zh) if yes else said
