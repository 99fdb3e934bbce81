"""Whether ``didact check`` gets through every file: all of site-packages and the standard library.

    python benchmarks/check_robust.py [FOLDER ...] [--jobs N]

Every file is parsed and analysed, also those that the byte scan would pass over. The exit code is
1 if the checker failed on a file (``KD003``); files that are no Python 3 are counted.
"""

from __future__ import annotations

import argparse
import sysconfig
import time
from collections import Counter
from pathlib import Path

from didact.check import Options, Selection, Settings, check_paths


def main() -> None:
    """Check the folders and print what became of their files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    paths = sysconfig.get_paths()
    parser.add_argument("folders", nargs="*", default=[paths["purelib"], paths["stdlib"]])
    parser.add_argument("--jobs", type=int, default=0)
    arguments = parser.parse_args()
    failed = 0
    for folder in arguments.folders:
        files = sorted(str(path) for path in Path(folder).rglob("*.py") if path.is_file())
        if folder == paths["stdlib"]:
            files = [file for file in files if "site-packages" not in Path(file).parts]
        options = Options(
            Settings(selection=Selection(("KD",))), jobs=arguments.jobs, relevant=_everything
        )
        start = time.perf_counter()
        report = check_paths(files, options)
        seconds = time.perf_counter() - start
        codes = Counter(diagnostic.code for diagnostic in report.diagnostics)
        print(f"{folder}: {len(report.results)} files in {seconds:.0f} s")
        print(f"  not Python 3: {codes['KD002']}, the checker failed: {codes['KD003']}")
        print(f"  findings: {sum(n for code, n in codes.items() if code >= 'KD1')}")
        for diagnostic in report.diagnostics:
            if diagnostic.code == "KD003":
                print(f"  {diagnostic.where}: {diagnostic.finding.message.en}")
        failed += codes["KD003"]
    raise SystemExit(int(failed > 0))


def _everything(_: bytes) -> bool:
    return True


if __name__ == "__main__":
    main()
