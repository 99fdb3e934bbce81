"""The page as a static site: the same files, and Python for the browser beside them.

    python -m didact.web.site FOLDER PYODIDE [HOME]

``PYODIDE`` is the unpacked npm package ``pyodide``, ``HOME`` the first page of the documentation
that the page links to, relative to ``FOLDER``. Nothing is fetched here, nor by the page from
any other host.
"""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import didact
from didact._core.errors import DataError
from didact.web.policy import STATIC, index_page

RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
ROOMS = ("_core", "check", "web")
"""The part of didact that the page needs."""
NOT_NEEDED = (
    *("web/page", "web/server.py", "web/worker.py", "web/site.py"),
    *("check/editors", "_core/chinese", "_core/translate.py"),
)


def build(folder: Path, pyodide: Path, home: str = "") -> None:
    """Write the site into ``folder``.

    Raises:
        DataError: ``pyodide`` is not the unpacked npm package.
    """
    missing = [name for name in (*RUNTIME, LOCK) if not (pyodide / name).is_file()]
    if missing:
        raise DataError(
            f"{pyodide} has no {missing[0]}; expected the npm package pyodide, unpacked: "
            "npm pack pyodide && tar xzf pyodide-*.tgz, then its folder package/"
        )
    (folder / "pyodide").mkdir(parents=True, exist_ok=True)
    for name in (*RUNTIME, LOCK):
        shutil.copyfile(pyodide / name, folder / "pyodide" / name)
    for file in files("didact.web").joinpath("page").iterdir():
        (folder / file.name).write_text(file.read_text("utf-8"), encoding="utf-8")
    index = index_page("pyodide", policy=STATIC, home=home)
    (folder / "index.html").write_text(index, encoding="utf-8")
    (folder / "didact.zip").write_bytes(packed())


def packed() -> bytes:
    """The checker and the explainer as one zip file, the same bytes for the same sources."""
    root = Path(didact.__file__).parent
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _modules(root):
            entry = zipfile.ZipInfo(f"didact/{path.relative_to(root).as_posix()}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return content.getvalue()


def _modules(root: Path) -> Iterator[Path]:
    yield root / "__init__.py"
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if not path.relative_to(root).as_posix().startswith(NOT_NEEDED):
                yield path


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
