"""Code of others is imported only by those who asked for it.

A run may name code: a model, loss, method or data set of the user's own. Whoever starts the run
typed the names. Whoever goes on with its folder did not, perhaps: the folder may come from somebody
else. A run therefore signs each name it was started with by a key of this user's; where a
signature is missing, going on asks for ``--trust``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from didact._core.atomic import replace_file
from didact._core.errors import TrustError

TRUST = ".trust"
_KEY_BYTES = 32


def sign(folder: Path, names: Sequence[str]) -> None:
    """Note that this user started a run that imports ``names``, if there is a home to note it."""
    key = _key(make=True)
    if names and key is not None:
        signatures = {*_signatures(folder), *(_signature(key, name) for name in names)}
        with suppress(OSError):
            replace_file(folder / TRUST, "\n".join(sorted(signatures)).encode())


def ask_for_trust(folder: Path, names: Sequence[str], *, trust: bool) -> str:
    """What is going to be imported, in words; refused where this user has not asked for it.

    Args:
        folder: Where the run lies.
        names: What it would import, as ``file.py:Name`` or ``pkg.mod:Name``.
        trust: Whether the user says that it may; it is then noted that this user said so.

    Raises:
        TrustError: The names are not signed by this user, and ``trust`` is false.
    """
    if not names:
        return ""
    if trust:
        sign(folder, names)
    elif not all(_is_signed(folder, name) for name in names):
        raise TrustError(
            f"{folder} would import and run {', '.join(names)}, and was not made by you on this "
            "machine. If you know this code, say so with --trust"
        )
    return f"importing {', '.join(names)}"


def _is_signed(folder: Path, name: str) -> bool:
    key = _key(make=False)
    if key is None:
        return False
    wanted = _signature(key, name)
    return any(hmac.compare_digest(stored, wanted) for stored in _signatures(folder))


def _signatures(folder: Path) -> list[str]:
    try:
        return (folder / TRUST).read_bytes().decode("ascii", "replace").split()
    except OSError:
        return []


def _signature(key: bytes, name: str) -> str:
    return hmac.new(key, _in_full(name).encode(), hashlib.sha256).hexdigest()


def _in_full(name: str) -> str:
    """With the whole path of its file, so that a name means one file wherever it is said."""
    place, _, attribute = name.rpartition(":")
    program = Path(name).expanduser()
    if program.is_file():
        return str(program.resolve())
    if place.endswith(".py"):
        return f"{Path(place).expanduser().resolve()}:{attribute}"
    found = PathFinder.find_spec(place.partition(".")[0], [str(Path.cwd()), *sys.path])
    return name if found is None else f"{found.origin or found.submodule_search_locations}:{name}"


def _key(*, make: bool) -> bytes | None:
    """This user's key; None where there is none and none can be made."""
    try:
        home = os.environ.get("XDG_CONFIG_HOME")
        known = home and Path(home).is_absolute()  # another one is to be ignored, XDG says
        folder = (Path(home) if home and known else Path.home() / ".config") / "didact"
        path = folder / "key"
        if make and not (path.is_file() and path.stat().st_size == _KEY_BYTES):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
        key = path.read_bytes() if path.is_file() else b""
    except (OSError, RuntimeError):
        return None
    return key if len(key) == _KEY_BYTES else None
