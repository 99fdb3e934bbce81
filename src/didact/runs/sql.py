"""The tables in a SQL database, by URL, and back again to the last bit.

Databases differ in what a number may be: SQLite makes NULL of NaN and 0.0 of -0.0, MySQL's driver
refuses infinity. So a number that is not ordinary is written as text into a column of its own,
``special``, and its ``value`` is NULL: an average over ``value`` leaves it out, and nothing is
lost. Texts that are keys are compared bit by bit, without a database's ideas of case and blanks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from didact._core.errors import DidactError, UsageError
from didact._core.optional import require
from didact.runs.tables import TABLES, Kind, Records, key_of, table

PREFIX = "didact_"
SPECIAL = "special"
LONGEST_KEY = 150
"""Characters of a text that is part of a key: MySQL's keys end at 3072 bytes, 4 a character."""
SMALLEST, LARGEST = 2.3e-308, 1.7e308
"""Between these a double is ordinary for every database."""
ROWS_AT_ONCE = 5000


class DatabaseError(DidactError):
    """A database that cannot be reached, or that refuses."""


def write_sql(records: Records, url: str) -> None:
    """Write runs into a database; a run that is there already is replaced, so twice is once.

    One transaction: either all of the records are there afterwards or what was there before.

    Args:
        records: What :func:`didact.runs.read_runs` gives.
        url: Such as ``sqlite:///runs.db`` or ``mysql+pymysql://user:password@host/database``.

    Raises:
        UsageError: The URL is none, or a name is longer than a key may be.
        DatabaseError: The database cannot be reached or refuses.
        MissingDependencyError: SQLAlchemy or the database's driver is not installed.
    """
    sqlalchemy = require("sqlalchemy", extra="records")
    with _connected(url, write=True) as (connection, tables):
        tables["runs"].metadata.create_all(connection)
        _forget(connection, sqlalchemy, tables, records.runs)
        for name, frame in records.named().items():
            rows = list(_encoded(frame, TABLES[name]))
            for start in range(0, len(rows), ROWS_AT_ONCE):
                connection.execute(tables[name].insert(), rows[start : start + ROWS_AT_ONCE])


def read_sql(url: str, runs: Sequence[str] | None = None) -> Records:
    """Read what :func:`write_sql` wrote.

    Args:
        url: Of the database.
        runs: Names of runs; all of them where None.

    Raises:
        UsageError: The URL is none.
        DatabaseError: The database cannot be reached, or it holds no runs of didact.
        MissingDependencyError: SQLAlchemy or the database's driver is not installed.
    """
    sqlalchemy = require("sqlalchemy", extra="records")
    with _connected(url, write=False) as (connection, tables):
        there = set(sqlalchemy.inspect(connection).get_table_names())
        missing = [t.name for t in tables.values() if t.name not in there]
        if missing:
            raise DatabaseError(
                f"the database has no table {missing[0]}; expected one that didact runs --to wrote"
            )
        frames = {}
        for name, made in tables.items():
            query = made.select()
            if runs is not None:
                query = query.where(made.c.run.in_(list(runs)))
            found = connection.execute(query).mappings()
            frames[name] = table(name, (_decoded(row, TABLES[name]) for row in found))
    return Records(**frames)


def _forget(
    connection: Any, sqlalchemy: Any, tables: Mapping[str, Any], runs: pd.DataFrame
) -> None:
    """Delete these runs, under their names or, unfinished then, from their folders."""
    known = tables["runs"]
    names = set(runs["run"])
    here = sqlalchemy.select(known.c.run).where(known.c.folder.in_(runs["folder"].tolist()))
    names |= {row.run for row in connection.execute(here)}
    for made in tables.values():
        connection.execute(made.delete().where(made.c.run.in_(sorted(names))))


@contextmanager
def _connected(url: str, *, write: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A connection in one transaction, and the tables as this database spells them."""
    sqlalchemy = require("sqlalchemy", extra="records")
    try:
        address = sqlalchemy.make_url(url)
        engine = sqlalchemy.create_engine(address)
    except sqlalchemy.exc.ArgumentError:
        raise UsageError(
            f"{url!r} is no URL of a database; expected such as sqlite:///runs.db or "
            "mysql+pymysql://user:password@host/database"
        ) from None
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{url.partition(':')[0]} needs {error.name}, which is not installed. "
            f"Install it with: pip install {error.name}"
        ) from None
    shown = address.render_as_string(hide_password=True)
    if not write and address.get_backend_name() == "sqlite":
        _must_exist(address.database, shown)
    try:
        with engine.begin() as connection:
            yield connection, _tables(connection.dialect)
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise DatabaseError(f"{shown} refuses: {reason}") from None
    finally:
        engine.dispose()


def _must_exist(database: str | None, shown: str) -> None:
    if database and database != ":memory:" and not Path(database).is_file():
        raise DatabaseError(f"there is no database {shown}; didact runs --to writes one")


def _tables(dialect: Any) -> dict[str, Any]:
    sqlalchemy = require("sqlalchemy", extra="records")
    metadata = sqlalchemy.MetaData()
    made = {}
    for name, columns in TABLES.items():
        parts = [
            sqlalchemy.Column(
                column,
                _type(kind, dialect),
                primary_key=column in key_of(name),
                nullable=kind == "number",
                autoincrement=False,
            )
            for column, kind in columns.items()
        ]
        if "number" in columns.values():
            parts.append(sqlalchemy.Column(SPECIAL, sqlalchemy.String(32), nullable=True))
        made[name] = sqlalchemy.Table(
            PREFIX + name, metadata, *parts, mysql_charset="utf8mb4", mariadb_charset="utf8mb4"
        )
    return made


def _type(kind: Kind, dialect: Any) -> Any:
    sqlalchemy = require("sqlalchemy", extra="records")
    mysql = dialect.name in ("mysql", "mariadb")
    from sqlalchemy.dialects.mysql import DATETIME, LONGTEXT

    if kind == "key":
        nopad = "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        return sqlalchemy.String(LONGEST_KEY, collation=nopad if mysql else None)
    return {
        "text": LONGTEXT() if mysql else sqlalchemy.Text(),
        "integer": sqlalchemy.BigInteger(),
        "number": sqlalchemy.Double(),
        "truth": sqlalchemy.Boolean(),
        "time": DATETIME(fsp=6) if mysql else sqlalchemy.DateTime(),
    }[kind]


def _encoded(frame: pd.DataFrame, columns: Mapping[str, Kind]) -> Iterator[dict[str, Any]]:
    for row in frame.to_dict("records"):
        for column, kind in columns.items():
            value = row[column]
            if kind == "number":
                row[column], row[SPECIAL] = _halves(value)
            elif kind == "time":
                row[column] = value.to_pydatetime().replace(tzinfo=None)
            elif kind == "key" and len(value) > LONGEST_KEY:
                raise UsageError(
                    f"{column} {value[:40]!r}... has {len(value)} characters; a database's key "
                    f"takes {LONGEST_KEY}"
                )
        yield row


def _halves(value: float) -> tuple[float | None, str | None]:
    """An ordinary number and None, or None and what the number is in words."""
    ordinary = SMALLEST <= abs(value) <= LARGEST or (value == 0 and math.copysign(1, value) > 0)
    return (value, None) if ordinary else (None, repr(value))


def _decoded(row: Mapping[str, Any], columns: Mapping[str, Kind]) -> dict[str, Any]:
    found = {column: row[column] for column in columns}
    for column, kind in columns.items():
        if kind == "number" and row[SPECIAL] is not None:
            found[column] = float(row[SPECIAL])
        elif kind == "time":
            found[column] = pd.Timestamp(row[column], tz="UTC")
    return found
