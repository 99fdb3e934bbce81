"""The catalogue and how a text finds itself in it."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from didact._core.chinese import catalogue
from didact._core.translate import translated

FIELD, TRANSLATED = re.compile(r"\{\d*\}"), re.compile(r"\{\d*!t\}")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Teacher", "教师"),
        ("error: there is no file a b.pth", "错误：没有文件 a b.pth"),
        ("there is no folder runs/a; expected the folder of a run", None),
        ("no loss is called 'kdd'; did you mean 'kd' or 'dkd'? (your own: file.py:my_loss)", None),
        ("5 seeds", "5 个种子"),
        ("seed 0 0.10, seed 1 −2.00", "种子 0 0.10，种子 1 −2.00"),
        (
            "digits: 2 classes, then 2 at a time, class-incremental; a, b; mlp, 1 x 30 epochs",
            "digits：先 2 类，之后每次 2 类，class-incremental；a, b；mlp，"
            "1 个种子，每个任务 30 轮",
        ),
        (
            "note: --memory has no effect: lwf and ewc keep no exemplars",
            "注意：--memory 不起作用：lwf 与 ewc 不存样例",
        ),
        (
            "no class is called 'six'; known: five, golden retriever, four",
            "没有叫 'six' 的类别；可选：five, golden retriever, four",
        ),
        ("[ 50%] seed 3 alone     epoch 1/2  loss 0.6  validation 96.2%", None),
    ],
)
def test_a_text_is_said_in_chinese(english: str, chinese: str | None) -> None:
    said = translated(english, "zh")
    if chinese is not None:
        assert said == chinese
    assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", said), said
    assert re.search("[\u4e00-\u9fff]", said)
    assert translated(english, "en") == english


def test_sentences_are_found_one_by_one_and_what_is_unknown_stays() -> None:
    text = "Latency is the median. This is no text of didact's. Larger dots hold more predictions."
    assert translated(text, "zh") == (
        "延迟取中位数。This is no text of didact's. 点越大，包含的预测越多。"
    )


def test_values_stay_as_they_are() -> None:
    for value in ("a {b} c", "教师.pth", "runs/教师 one", "x.y!", "(1, 2)", "teacher"):
        assert f"没有文件 {value}" in translated(f"there is no file {value}", "zh").replace(
            "没有文件教", "没有文件 教"
        )


def test_a_short_text_does_not_swallow_a_sentence() -> None:
    text = "I like to go from here to there and back"
    assert translated(text, "zh") == text


def test_every_text_has_its_values_and_no_more() -> None:
    for english, chinese in catalogue().items():
        assert english.count("{}") == len(re.findall(r"\{[^}]*\}", english)), english
        fields = [name for _, name, _, _ in Formatter().parse(chinese) if name is not None]
        numbered = [int(name) for name in fields if name]
        assert not numbered or len(numbered) == len(fields), chinese
        assert sorted(numbered or range(len(fields))) == list(range(english.count("{}"))), chinese


def test_every_text_is_found() -> None:
    """With other values than it was written for, and whatever other texts it looks like."""
    for english in catalogue():
        text = english.replace("{}", "7")
        said = translated(text, "zh")
        assert said != text or not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", text), english


def test_chinese_is_set_as_chinese() -> None:
    """Full-width punctuation between characters, one space between Chinese and Latin."""
    for english, chinese in catalogue().items():
        plain = TRANSLATED.sub("字", chinese)
        plain = FIELD.sub("7", plain)
        assert not re.search(r"[\u4e00-\u9fff][,;:!?](?=[\u4e00-\u9fff]|$)", plain), plain
        assert not re.search(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", plain), plain
        assert not re.search(r"[，。；：？！（）“”] | [，。；：？！（）]", plain), plain
        assert not english.endswith(".") or chinese.endswith("。"), chinese
