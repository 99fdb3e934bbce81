"""The catalogue: what didact says in English, and the same in Chinese.

One file for what is said by whom. A key is the English text with ``{}`` for each value that is put
in, which is how the code that says it reads as an f-string; the Chinese has ``{}`` likewise, or
``{0}`` and ``{1}`` where the order differs, and ``{0!t}`` where the value is itself a text of the
catalogue. Calls nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules


@cache
def catalogue() -> Mapping[str, str]:
    """All texts; every file of this folder has its own in ``TEXTS``."""
    found: dict[str, str] = {}
    for entry in iter_modules(__path__):
        texts: Mapping[str, str] = import_module(f"{__name__}.{entry.name}").TEXTS
        found.update(texts)
    return found
