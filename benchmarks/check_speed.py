"""How many files a second: ``didact check`` against TorchFix and ruff, on one tree.

    python benchmarks/check_speed.py [TREE] --torchfix /path/to/venv/bin/torchfix

The tree is torch's own package by default. The time is the processor's, children included, so
that neither other load nor the number of cores decides; each tool gets one process where it can be
told so. The tools take turns, and the fastest of the rounds counts. A tool that is not installed
is left out.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(sysconfig.get_paths()["purelib"]) / "torch"
    parser.add_argument("tree", nargs="?", type=Path, default=default)
    parser.add_argument("--torchfix", default=shutil.which("torchfix"), help="its executable")
    parser.add_argument("--ruff", default=_beside_python("ruff"), help="its executable")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    tree: Path = arguments.tree.resolve()
    files = sum(path.is_file() for path in tree.rglob("*.py"))
    commands = _commands(tree, arguments.torchfix, arguments.ruff)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            seconds[name].append(_processor_seconds(command))
    print(f"{tree}: {files} files; best of {arguments.rounds} rounds, processor time\n")
    print("| tool | seconds | files a second | didact check is |\n|---|---:|---:|---:|")
    own = min(seconds["didact check"])
    for name, times in seconds.items():
        best = min(times)
        print(f"| {name} | {best:.2f} | {files / best:.0f} | {best / own:.1f}x as fast |")


def _commands(tree: Path, torchfix: str | None, ruff: str | None) -> dict[str, list[str]]:
    didact = [
        sys.executable,
        "-m",
        "didact",
        "check",
        "--no-cache",
        str(tree),
        "--jobs",
        "1",
        "--exit-zero",
    ]
    commands = {"didact check": didact}
    if torchfix:
        commands["TorchFix"] = [torchfix, "--jobs", "1", str(tree)]
    if ruff:
        isolated = ["--isolated", "--no-cache", "--exit-zero", "--quiet", "--exclude", "none"]
        commands["ruff (default rules)"] = [ruff, "check", *isolated, str(tree)]
    return commands


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    if result.returncode not in ((0, 1) if "torchfix" in command[0] else (0,)):
        raise SystemExit(f"{command} failed:\n{result.stderr.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _beside_python(name: str) -> str | None:
    return shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)


if __name__ == "__main__":
    main()
