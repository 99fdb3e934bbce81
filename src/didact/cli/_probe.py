"""What ``didact probe`` does."""

from __future__ import annotations

import ast
import io
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from didact._core.i18n import Language, Text, choose_language
from didact.cli._user_code import found, imported
from didact.probe import (
    ProbeError,
    Report,
    json_of,
    junit_of,
    nearest,
    probe,
    rendered,
    step_of,
    text_of,
)

EXIT_BROKEN = 1
_FORMATS = ("table", "json", "junit")
_NARROWEST = 60
_FILE = re.compile(r"[^\s:]+\.py:[\w.]+$|[A-Za-z_]\w*(\.\w+)+:[A-Za-z_]\w*$")
"""What is imported where a value is asked for: ``file.py:name`` or ``pkg.mod:Name``."""


@dataclass(frozen=True)
class Request:
    """The options as given."""

    loss: str | None
    arguments: Sequence[str]
    init: Sequence[str]
    roles: dict[str, str | None]
    kind: str | None
    layout: str | None
    old_classes: int | None
    language_model: bool
    ignore: Sequence[str]
    step: str | None
    processes: int
    form: str
    lang: str | None
    output: Path | None


def run(request: Request) -> int:
    """Probe, write the report, and return the exit code; what is refused is said on stderr."""
    language = choose_language(request.lang if request.lang in ("en", "zh") else None)
    try:
        with nullcontext() if request.step else _answered_in_time():
            report = _reported(request, language)
        _write(report, request, language)
    except ProbeError as error:
        said = Text("error: {message}", "错误：{message}").format(message=error.text)
        sys.stderr.write(said.pick(language) + "\n")
        return error.exit_code
    return 0 if report.ok else EXIT_BROKEN


class _Late(BaseException):
    """Raised within the loss itself, whatever it catches of its own errors."""


@contextmanager
def _answered_in_time() -> Iterator[None]:
    """A loss that does not return, as an endless loop, ends in a sentence."""
    known = hasattr(signal, "setitimer")
    if not known or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _Late

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST)
    try:
        yield
    except _Late:
        raise ProbeError(
            f"no answer after {_LONGEST} s of the processor: the loss does not return, or is too "
            "slow for the hundreds of calls that the laws make",
            f"占用处理器 {_LONGEST} 秒后仍无结果：损失函数没有返回，或太慢，"
            "无法承受各定律所需的数百次调用",
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


_LONGEST = 90


def _reported(request: Request, language: Language) -> Report:
    if request.lang not in (None, "en", "zh"):
        raise ProbeError(
            f"language is {request.lang!r}; expected 'en' or 'zh'",
            f"语言为 {request.lang!r}；应为 'en' 或 'zh'",
        )
    if request.form not in _FORMATS:
        near = nearest(request.form, _FORMATS)
        raise ProbeError(
            f"format is {request.form!r}; {near.en}", f"格式为 {request.form!r}；{near.zh}"
        )
    if request.step is not None:
        return _step(request, request.step, language)
    if request.loss is None:
        raise ProbeError(
            "there is nothing to probe: name a loss, as file.py:my_loss, or give --step",
            "没有要检查的对象：请指定损失，如 file.py:my_loss，或使用 --step",
        )
    arguments = values(request.arguments, "--arg", language)
    init = values(request.init, "--init", language)
    loss = found(request.loss, language)
    options: dict[str, Any] = {
        **request.roles,
        "kind": request.kind,
        "layout": request.layout,
        "old_classes": request.old_classes,
        "language_model": request.language_model,
    }
    return probe(loss, arguments=arguments, init=init, ignore=request.ignore, **options)


def _step(request: Request, spec: str, language: Language) -> Report:
    """The checks of one training step."""
    others: list[object] = [request.loss, request.arguments, request.init, *request.roles.values()]
    others += [request.kind, request.layout, request.old_classes, request.language_model]
    others += [request.ignore]
    if any(others):
        raise ProbeError(
            "--step checks a training step; a loss, --arg, --init, --student, --teacher, --labels, "
            "--kind, --layout, --old-classes, --language-model and --ignore are for a loss",
            "--step 检查的是训练步；损失名、--arg、--init、--student、--teacher、--labels、--kind、"
            "--layout、--old-classes、--language-model 与 --ignore 只用于损失",
        )
    if request.processes not in (1, 2):
        raise ProbeError(
            f"--processes is {request.processes}; expected 1 or 2",
            f"--processes 为 {request.processes}；应为 1 或 2",
        )
    make = imported(spec, language)
    with redirect_stdout(io.StringIO()):
        return step_of(make, spec, processes=request.processes)


def values(given: Sequence[str], option: str, language: Language = "en") -> dict[str, Any]:
    """``NAME=VALUE`` pairs: a Python literal, a tensor of one, an object to import, or a text.

    Raises:
        ProbeError: No ``=`` in a pair, or a tensor of something else than numbers.
    """
    read = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ProbeError(
                f"{option} is {pair!r}; expected NAME=VALUE, such as T=4",
                f"{option} 为 {pair!r}；应为 NAME=VALUE，如 T=4",
            )
        read[name] = imported(text, language) if _FILE.match(text) else _value(text)
    return read


def _value(text: str) -> Any:
    """A Python literal, a tensor of one, or the text itself."""
    inner = text.removeprefix("tensor(")
    wrapped = inner is not text and inner.endswith(")")
    try:
        literal = ast.literal_eval(inner[:-1] if wrapped else text)
    except (ValueError, SyntaxError):
        return text
    if not wrapped:
        return literal
    try:
        return torch.tensor(literal)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ProbeError(
            f"{text!r} is no tensor: {error}; expected numbers, such as tensor([1.0, 2.0])",
            f"{text!r} 不是张量：{error}；应为数字，如 tensor([1.0, 2.0])",
        ) from error


def _write(report: Report, request: Request, language: Language) -> None:
    if request.form == "table" and request.output is None:
        console = Console()
        console.width = max(_NARROWEST, console.width)
        console.print(rendered(report, language))
        return
    make = {"table": text_of, "json": json_of, "junit": junit_of}[request.form]
    text = make(report, language)
    if request.output is None:
        sys.stdout.write(text)
        return
    try:
        request.output.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProbeError(
            f"{request.output} cannot be written: {reason}",
            f"无法写入 {request.output}：{reason}",
        ) from error
