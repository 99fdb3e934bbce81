"""Records go into a database and come back the same to the last bit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.runs.databases import MISSING, mariadb
from tests.runs.support import any_records, distill_run, learn_run

from didact._core.errors import UsageError
from didact.runs import Records, read_runs, read_sql, write_sql
from didact.runs.sql import DatabaseError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if MISSING:
        pytest.skip(MISSING)
    with mariadb(tmp_path_factory.mktemp("mariadb")) as url:
        yield url


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "mariadb":
        return str(request.getfixturevalue("server"))
    return f"sqlite:///{tmp_path}/runs.db"


def assert_same(left: Records, right: Records) -> None:
    """Equal types, and equal bits of every number."""
    for (name, a), (_, b) in zip(left.named().items(), right.named().items(), strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True, obj=name)
        for column in a.select_dtypes("float64"):
            bits = [frame[column].to_numpy(np.float64).view(np.int64) for frame in (a, b)]
            assert np.array_equal(*bits), column


def test_ten_thousand_rows_come_back_exactly(url):
    records = any_records(10_000, seed=1)
    assert len(records.epochs) == 10_000
    assert records.results["value"].map(math.isnan).any()
    assert np.isinf(records.results["value"]).any()
    write_sql(records, url)
    assert_same(read_sql(url), records)


def test_twice_is_once_and_a_run_can_be_asked_for(url, tmp_path):
    distill_run(tmp_path / "runs/a", temperature=2.0)
    distill_run(tmp_path / "runs/b", temperature=4.0)
    learn_run(tmp_path / "runs/c")
    records = read_runs([tmp_path / "runs"])
    write_sql(records, url)
    write_sql(records, url)
    names = set(records.runs["run"])
    assert_same(read_sql(url, sorted(names)), records)
    one = records.runs["run"][0]
    assert set(read_sql(url, [one]).results["run"]) == {one}
    assert read_sql(url, ["nothing"]).runs.empty


def test_a_run_that_went_on_replaces_its_unfinished_rows(url, tmp_path):
    folder = distill_run(tmp_path / "run", complete=False)
    unfinished = read_runs([folder])
    write_sql(unfinished, url)
    (folder / "run.toml").rename(tmp_path / "kept.toml")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    distill_run(folder)
    finished = read_runs([folder])
    assert set(finished.runs["run"]) != set(unfinished.runs["run"])
    write_sql(finished, url)
    found = read_sql(url)
    assert not set(found.runs["run"]) & set(unfinished.runs["run"])
    assert set(finished.runs["run"]) <= set(found.runs["run"])


def test_a_refused_write_leaves_what_was_there(url, tmp_path):
    records = read_runs([distill_run(tmp_path / "run")])
    write_sql(records, url)
    spoilt = Records(**{**records.named(), "epochs": pd.concat([records.epochs] * 2)})
    with pytest.raises(DatabaseError, match=r"refuses"):
        write_sql(spoilt, url)
    assert_same(read_sql(url, list(records.runs["run"])), records)


def test_an_average_leaves_out_what_is_not_a_number(url, tmp_path):
    import sqlalchemy

    records = read_runs([distill_run(tmp_path / "run")])
    write_sql(records, url)
    with sqlalchemy.create_engine(url).begin() as connection:
        query = "SELECT value, special FROM didact_epochs WHERE epoch = 2 AND run = :run"
        found = connection.execute(sqlalchemy.text(query), {"run": records.runs["run"][0]})
        assert found.one() == (None, "inf")


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("foo", UsageError, "is no URL of a database; expected such as sqlite"),
        ("foo://bar", UsageError, "is no URL"),
        ("postgresql+psycopg2://x/y", UsageError, "psycopg2, which is not installed"),
        ("sqlite:////no/such/folder/runs.db", DatabaseError, "refuses: unable to open"),
        ("mysql+pymysql://me:secret@127.0.0.1:1/x", DatabaseError, r"me:\*\*\*@.*refuses.*2003"),
    ],
)
def test_a_database_that_cannot_be_had(tmp_path, url, error, says):
    records = read_runs([distill_run(tmp_path / "run")])
    with pytest.raises(error, match=says) as caught:
        write_sql(records, url)
    assert "secret" not in str(caught.value)


def test_a_database_without_runs(tmp_path):
    import sqlalchemy

    with pytest.raises(DatabaseError, match="there is no database"):
        read_sql(f"sqlite:///{tmp_path}/none.db")
    url = f"sqlite:///{tmp_path}/other.db"
    with sqlalchemy.create_engine(url).begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE mine (x INTEGER)"))
    with pytest.raises(DatabaseError, match="no table didact_runs"):
        read_sql(url)


def test_a_key_too_long_for_a_database(tmp_path):
    records = read_runs([distill_run(tmp_path / "run")])
    settings = records.settings.assign(name="x" * 151)
    with pytest.raises(UsageError, match="151 characters"):
        write_sql(
            Records(**{**records.named(), "settings": settings}), f"sqlite:///{tmp_path}/x.db"
        )
