"""The databases that records go through: SQLite always, MariaDB where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pymysql

SERVER = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
INSTALL = shutil.which("mariadb-install-db")
MISSING = "" if INSTALL and Path(SERVER).exists() else "MariaDB (mariadb-server) is not installed"


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """A MariaDB server of one's own on the loopback address; the URL of an empty database."""
    assert INSTALL
    data, port = folder / "data", _free_port()
    account = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [INSTALL, *account, f"--datadir={data}", "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                SERVER,
                "--no-defaults",
                *account,
                f"--datadir={data}",
                f"--socket={folder}/s",
                f"--pid-file={folder}/pid",
                f"--port={port}",
                "--bind-address=127.0.0.1",
                "--innodb-buffer-pool-size=64M",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(port, server)
        with closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection:
            connection.cursor().execute("CREATE DATABASE didact")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/didact"
    finally:
        server.terminate()
        server.wait(60)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()
            return
        except pymysql.err.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("MariaDB does not answer")
