"""From a string on the command line to the object it names.

A name is one of three things: a short name that is registered (``"kd"``), an attribute of an
importable module (``"pkg.mod:Name"``), or an attribute of a file (``"path/to/file.py:Name"``).
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from didact._core.errors import UnknownNameError

T = TypeVar("T")


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known names, or all of them if none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "known: " + ", ".join(names) if names else "none is known"


def choose(name: str, known: Mapping[str, T], *, what: str) -> T:
    """The value that ``name`` has in ``known``.

    Raises:
        UnknownNameError: No such name; the message suggests near ones.
    """
    if name in known:
        return known[name]
    raise UnknownNameError(f"no {what} is called {name!r}; {suggest(name, known)}")


def is_import_path(spec: str) -> bool:
    """Whether ``spec`` has the form ``pkg.mod:Name`` or ``file.py:Name``."""
    module, colon, attribute = spec.rpartition(":")
    if not colon or not attribute.replace(".", "_").isidentifier():
        return False
    return module.endswith(".py") or all(part.isidentifier() for part in module.split("."))


def load(spec: str, *, what: str = "object") -> object:
    """The object that ``pkg.mod:Name`` or ``file.py:Name`` names. This imports the user's code.

    Raises:
        UnknownNameError: The form is wrong, or the file, module or attribute does not exist, or
            importing it failed.
    """
    if not is_import_path(spec):
        raise UnknownNameError(
            f"{spec!r} is not the name of a {what}; expected pkg.mod:Name or file.py:Name"
        )
    module_name, _, attribute = spec.rpartition(":")
    module = (
        _load_file(Path(module_name), spec)
        if module_name.endswith(".py")
        else _load_module(module_name, spec)
    )
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [n for n in vars(module) if not n.startswith("_")]
            raise UnknownNameError(
                f"{module_name} has no {attribute!r} (asked for as {spec!r}); "
                f"{suggest(attribute, public)}"
            )
        found = getattr(found, part)
    return found


def _load_file(path: Path, spec: str) -> ModuleType:
    path = path.expanduser()
    if not path.is_file():
        raise UnknownNameError(f"there is no file {path} (asked for as {spec!r})")
    name = f"_didact_user_{path.stem}_{abs(hash(str(path.resolve()))):x}"
    if name in sys.modules:
        return sys.modules[name]
    module_spec = spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise UnknownNameError(f"{path} cannot be imported as Python (asked for as {spec!r})")
    module = module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        module_spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UnknownNameError(
            f"importing {path} failed: {type(error).__name__}: {error}"
        ) from error
    return module


def _load_module(name: str, spec: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: the user's own modules are found
    try:
        return import_module(name)
    except Exception as error:
        raise UnknownNameError(
            f"importing {name} failed: {type(error).__name__}: {error} (asked for as {spec!r})"
        ) from error
