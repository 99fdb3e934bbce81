"""didact's commands in processes in which one package cannot be imported."""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

SLOW = (
    "torch", "lightning_fabric", "matplotlib.figure", "scipy.optimize", "scipy.stats", "sklearn",
)  # fmt: skip
"""Loaded once; a child that may not import one of them forgets it first."""


class Block:
    """An import hook that knows nothing of a package."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class Record:
    """An import hook that notes which packages are asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self.asked.add(name.partition(".")[0])


def outcome(package: str, words: list[str]) -> int:
    """The exit code of ``didact WORDS``, or of ``import MODULE``.

    Without a package to hide, the packages that are asked for, or are loaded already, are printed.
    """
    if not package:
        record = Record()
        sys.meta_path.insert(0, record)
        loaded = {name.partition(".")[0] for name in sys.modules}
        with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing):
            _run(words)
        print("asked", json.dumps(sorted(record.asked | loaded)))
        return 0
    for name in list(sys.modules):
        if name.partition(".")[0] in (package, "didact"):
            del sys.modules[name]
    sys.meta_path.insert(0, Block(package))
    return _run(words)


def _run(words: list[str]) -> int:
    try:
        if words[0] == "import":
            import_module(words[1])
            return 0
        sys.argv = ["didact", *words]
        import_module("didact.cli").main()
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 0
    except ImportError as error:
        if type(error).__name__ != "MissingDependencyError" or words[0] != "import":
            traceback.print_exc()
            return 1
        print(f"error: {error}")
        return 2
    except BaseException:  # noqa: BLE001 - what a command raises is the outcome
        traceback.print_exc()
        return 1
    return 0


def in_a_child(package: str, words: list[str]) -> tuple[int, str]:
    """Exit code and output; what is slow is loaded already, so that a child takes no time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (1, 2):
            os.dup2(writing, number)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        code = outcome(package, words)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode("utf-8", "replace")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


if __name__ == "__main__":
    for module in SLOW:
        import_module(module)
    sys.modules["torch"].set_num_threads(1)
    for package, words in json.loads(sys.stdin.read()):
        code, said = in_a_child(package, words)
        print(json.dumps([package, words, code, said]), flush=True)
