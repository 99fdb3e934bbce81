"""Bytes of any usual encoding are read; what is no text is refused."""

from __future__ import annotations

import gzip
import pickle
import random

import pytest

from didact.check.snippet.reading import BinaryError, decode

TEXT = "loss = F.kl_div(log_p, q)  # 计算蒸馏损失，温度为 T\n为什么损失是负数？\n"
CODE = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk", "gb2312"]
)
def test_chinese_text(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str) -> None:
    assert decode(CODE.encode(encoding)) == CODE


def test_western_text() -> None:
    text = "# la température élève l'entropie\nx = f(1)\n"
    assert decode(text.encode("cp1252")) == text


def test_a_little_of_a_terminal_is_text() -> None:
    assert decode(b"\x1b[1mloss\x1b[0m = f(x)\n") == "\x1b[1mloss\x1b[0m = f(x)\n"
    assert decode(b"") == ""


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00\x00\x00\x01\x00\x08\x06" * 4,
        gzip.compress(TEXT.encode() * 50, mtime=0),
        pickle.dumps({"weight": list(range(300))}),
        random.Random(0).randbytes(4000),
        bytes(500),
        b"\x7fELF\x02\x01\x01" + bytes(40) + b"main",
    ],
    ids=["image", "archive", "pickle", "random", "zeros", "program"],
)
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(BinaryError):
        decode(data)
