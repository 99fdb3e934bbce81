"""A table as a CSV or Parquet file."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from didact._core.atomic import replace_file
from didact._core.errors import RunFolderError, UsageError
from didact._core.optional import require

SUFFIXES = (".csv", ".parquet")


def write_file(frame: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all; the ending of the name says how.

    CSV is UTF-8 with ``nan``, ``inf`` and ``-inf`` in words, numbers with as many digits as bring
    them back exactly; Parquet keeps every type.

    Raises:
        UsageError: Another ending.
        MissingDependencyError: Parquet without pyarrow.
        RunFolderError: The file cannot be written.
    """
    if path.suffix == ".csv":
        content = frame.to_csv(index=False, na_rep="nan").encode()
    elif path.suffix == ".parquet":
        require("pyarrow", extra="records")
        file = io.BytesIO()
        frame.to_parquet(file, index=False)
        content = file.getvalue()
    else:
        raise UsageError(f"{path.name} ends in {path.suffix!r}; expected {' or '.join(SUFFIXES)}")
    try:
        replace_file(path, content)
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror or error}") from None
