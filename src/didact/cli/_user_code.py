"""Import what the user names, and say so, with messages in both languages."""

from __future__ import annotations

import ast
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from didact._core.errors import UnknownNameError
from didact._core.i18n import Language, Text
from didact._core.lookup import is_import_path, load
from didact.losses import CARDS
from didact.probe import ProbeError, nearest, reason_of

_HINT = Text(
    "; install it, or name the folder that holds it in PYTHONPATH",
    "；请安装它，或在 PYTHONPATH 中加入它所在的目录",
)
_IMPORTING = Text("importing and running {module}", "正在导入并运行 {module}")


def found(name: str, language: Language) -> object:
    """The object that is named; a short name is one of didact's own losses.

    Raises:
        ProbeError: Nothing answers to the name, or importing it fails.
    """
    if name in CARDS:
        return CARDS[name].function
    if name.endswith(".py") and Path(name).expanduser().is_file():
        raise ProbeError(*_which_of(name))
    if not is_import_path(name):
        near = nearest(name, CARDS)
        raise ProbeError(
            f"{name!r} is not the name of a loss; expected file.py:my_loss, pkg.mod:my_loss or one "
            f"of didact's own ({near.en})",
            f"{name!r} 不是损失的名称；应为 file.py:my_loss、pkg.mod:my_loss，"
            f"或 didact 自带的损失（{near.zh}）",
        )
    return imported(name, language)


def _which_of(file: str) -> tuple[str, str]:
    """A file without a name in it: what it defines, read without running it."""
    try:
        body = ast.parse(Path(file).expanduser().read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        body = []
    names = [d.name for d in body if isinstance(d, ast.FunctionDef | ast.ClassDef)]
    names = [n for n in names if not n.startswith("_")]
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    example = f"{file}:{names[0] if names else 'my_loss'}"
    return (
        f"{file} is a file; name what is to be probed in it, as {example}"
        + (f" (it defines {shown})" if names else ""),
        f"{file} 是文件；请指明其中要检查的对象，如 {example}"
        + (f"（其中定义了 {shown}）" if names else ""),
    )


_SHOWN = 8


def imported(spec: str, language: Language) -> object:
    """What ``file.py:name`` or ``pkg.mod:name`` names.

    Raises:
        ProbeError: The form is wrong, there is no such thing, or importing it fails.
    """
    if not is_import_path(spec):
        raise ProbeError(
            f"{spec!r} names nothing to import; expected file.py:name or pkg.mod:name",
            f"{spec!r} 无法导入；应为 file.py:name 或 pkg.mod:name",
        )
    module, _, attribute = spec.rpartition(":")
    if module.endswith(".py") and not Path(module).expanduser().is_file():
        raise ProbeError(f"there is no file {module}", f"文件 {module} 不存在")
    sys.stderr.write(_IMPORTING.format(module=module).pick(language) + "\n")
    try:
        with redirect_stdout(sys.stderr):
            return load(spec, what="object")
    except SystemExit as stopped:
        for name, _ in _modules(module):
            del sys.modules[name]
        raise ProbeError(
            f"importing {module} ended the program with exit code {stopped.code}: put what it runs "
            'under if __name__ == "__main__":',
            f"导入 {module} 时程序被结束，退出码 {stopped.code}："
            '请把要运行的代码放在 if __name__ == "__main__": 之下',
        ) from stopped
    except UnknownNameError as error:
        if error.__cause__ is not None:
            reason = reason_of(error.__cause__)
            hint = _HINT if isinstance(error.__cause__, ModuleNotFoundError) else Text("", "")
            raise ProbeError(
                f"importing {module} failed: {reason.en}{hint.en}",
                f"导入 {module} 失败：{reason.zh}{hint.zh}",
            ) from error
        near = nearest(attribute, _public(module))
        raise ProbeError(
            f"{module} has no {attribute!r}; {near.en}", f"{module} 中没有 {attribute!r}；{near.zh}"
        ) from error


def _public(module: str) -> list[str]:
    """The names in a module that has been imported."""
    return [n for _, each in _modules(module) for n in vars(each) if not n.startswith("_")]


def _modules(module: str) -> list[tuple[str, ModuleType]]:
    """A module that has been imported, by its name or by its file."""
    if not module.endswith(".py"):
        return [(n, m) for n, m in sys.modules.items() if n == module]
    path = Path(module).expanduser().resolve()
    known = [(n, m, getattr(m, "__file__", None)) for n, m in list(sys.modules.items())]
    return [(n, m) for n, m, file in known if file and Path(file).resolve() == path]
