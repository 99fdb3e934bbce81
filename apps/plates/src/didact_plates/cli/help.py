"""Help pages and complaints about a command line in Chinese; English is typer's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from didact_plates.chinese import COMPLAINTS
from didact_plates.texts import say, spoken

Lang = Annotated[
    str | None, typer.Option("--lang", help="en or zh; that of the locale by default.")
]

_COMPLAINT: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
"""What typer raises about a command line; older ones have it from click."""


class _Speaking:
    """What has a help page, in the language that is spoken."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """See typer."""
        if spoken() == "en":
            super().format_help(ctx, formatter)  # type: ignore[misc]
        else:
            formatter.write(_page(self, ctx))


class SpeakingCommand(_Speaking, TyperCommand):
    """A command."""


class SpeakingGroup(_Speaking, TyperGroup):
    """The program itself, which lists its commands."""


def run_spoken(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Run a command line; typer complains in English alone, so its complaints are said here.

    Raises:
        SystemExit: Always, with the exit code.
    """
    if spoken() == "en":
        app(arguments)
        return
    try:
        code = app(arguments, standalone_mode=False)
    except _COMPLAINT as error:
        text = error.format_message()
        sys.stderr.write(f"{_complaint(error, text)}\n" if text else "")
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _page(command: Any, ctx: Any) -> str:
    lines = [_usage(command, ctx), "", *(f"  {text}" for text in _paragraphs(command)), ""]
    groups: dict[str, list[tuple[str, str]]] = {"参数": [], "选项": [], "命令": []}
    for parameter in command.get_params(ctx):
        if (record := parameter.get_help_record(ctx)) is not None:
            added = record[1].removeprefix(parameter.help or "").strip()
            added = added.replace("default: ", "默认：").replace("required", "必填")
            kind = "参数" if parameter.param_type_name == "argument" else "选项"
            groups[kind].append((record[0], f"{say(parameter.help or '')}  {added}".strip()))
    for name in command.list_commands(ctx) if hasattr(command, "list_commands") else ():
        groups["命令"].append((name, _paragraphs(command.get_command(ctx, name))[0]))
    for title, rows in groups.items():
        if rows:
            lines += [f"{title}：", *(f"  {name:<24} {text}".rstrip() for name, text in rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _paragraphs(command: Any) -> list[str]:
    return [say(" ".join(text.split())) for text in (command.help or "").split("\n\n")]


def _usage(command: Any, ctx: Any) -> str:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    pieces = pieces.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 [参数]...")
    return f"用法：{ctx.command_path} {pieces}"


def _complaint(error: Any, text: str) -> str:
    for form, chinese in COMPLAINTS:
        if found := re.fullmatch(form, text, re.DOTALL):
            text = chinese.format(*found.groups())
            break
    ctx = getattr(error, "ctx", None)
    head = ""
    if ctx is not None:
        head = f"{_usage(ctx.command, ctx)}\n用 “{ctx.command_path} --help” 查看帮助。\n\n"
    return f"{head}错误：{text}"
