"""The laws of distillation, a file for each letter of the report.

In comes a case under trial. Calls ``judging`` and the rooms below.
"""

import pkgutil
from importlib import import_module

from didact.probe.judging.law import LAWS, Law


def all_laws() -> list[Law]:
    """Every law in the files of this room, in the order of the files."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        import_module(f"{__name__}.{module}")
    return list(LAWS.values())
