"""The help pages and usage errors of the command line in Chinese; English is typer's own."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from didact._core.translate import translated
from didact.cli._groups import GroupedCommand, grouped
from didact.cli._speech import spoken

COLUMNS, NAMES = 78, 26


class _Speaking:
    """What has a help page, in the language that is spoken."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """See typer."""
        if spoken() == "en":
            super().format_help(ctx, formatter)  # type: ignore[misc]
        else:
            formatter.write(help_page(self, ctx))


class SpeakingCommand(_Speaking, GroupedCommand):
    """A command."""


class SpeakingGroup(_Speaking, TyperGroup):
    """The program itself, which lists its commands."""


def help_page(command: Any, ctx: Any) -> str:
    """The whole page in Chinese."""
    from didact.check.explain.layout import wrap

    lines = [usage(command, ctx), ""]
    for paragraph in (command.help or "").split("\n\n"):
        text = translated(" ".join(paragraph.split()), "zh")
        lines += [*wrap(text, "  ", COLUMNS), ""]
    groups: dict[str, list[tuple[str, str]]] = {"参数": []}
    for title, records in grouped(command, ctx).items():
        for parameter, (name, text) in records:
            kind = "参数" if parameter.param_type_name == "argument" else translated(title, "zh")
            groups.setdefault(kind, []).append((name, _described(parameter.help or "", text)))
    groups["命令"] = []
    for name in command.list_commands(ctx) if hasattr(command, "list_commands") else ():
        first = (command.get_command(ctx, name).help or "").split("\n\n")[0]
        groups["命令"].append((name, translated(" ".join(first.split()), "zh")))
    for title, rows in groups.items():
        if rows:
            lines += [f"{title}：", *(line for row in rows for line in _row(*row)), ""]
    return "\n".join(lines).rstrip() + "\n"


def usage(command: Any, ctx: Any) -> str:
    """``用法：didact compare [选项] RUN RUN``."""
    pieces = " ".join(command.collect_usage_pieces(ctx))
    pieces = pieces.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 [参数]...")
    return f"用法：{ctx.command_path} {pieces}"


def _described(text: str, record: str) -> str:
    """The help of a parameter, and what typer adds to it in brackets."""
    added = record.removeprefix(text).strip()
    added = added.replace("default: ", "默认：").replace("required", "必填")
    return f"{translated(text, 'zh')}  {added}".strip()


def _row(name: str, text: str) -> list[str]:
    from didact.check.explain.layout import wrap

    lines = wrap(text, " " * (NAMES + 2), COLUMNS) or [""]
    if len(name) + 4 > NAMES:
        return [f"  {name}", *lines]
    return [f"  {name:<{NAMES}}" + lines[0][NAMES + 2 :], *lines[1:]]


def usage_error(error: Any) -> str:
    """What is wrong with a command line, in Chinese."""
    ctx, head = getattr(error, "ctx", None), ""
    if ctx is not None:
        head = f"{usage(ctx.command, ctx)}\n用 “{ctx.command_path} --help” 查看帮助。\n\n"
    return f"{head}错误：{translated(error.format_message(), 'zh')}"
