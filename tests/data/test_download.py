"""Downloads, from a server on this machine: checked, put in place, or one clear error."""

import hashlib
import logging
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pooch
import pytest
from tests.data.support import write_idx_set

from didact._core.errors import DataError
from didact.data import load
from didact.data.loading.download import RemoteFile, cache_folder, fetch
from didact.data.loading.registry import Request
from didact.data.sources import mnist
from didact.data.sources._idx import _PARTS, IdxSet


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch.get_logger(), "level", logging.ERROR)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "published"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


def publish(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``url`` the place that mnist comes from."""
    write_idx_set(folder)
    md5 = [hashlib.md5((folder / f"{part}.gz").read_bytes()).hexdigest() for part in _PARTS]
    one, two, three, four = md5
    known = IdxSet("mnist", ("mnist",), url, (one, two, three, four), mnist.MNIST.class_names)
    monkeypatch.setattr(mnist, "MNIST", known)


def test_a_set_is_downloaded_once(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = server
    publish(folder, url, monkeypatch)
    data_dir = tmp_path / "data"
    assert len(load("mnist", data_dir=data_dir).test) == 20
    assert sorted(p.name for p in (data_dir / "mnist").iterdir()) == sorted(
        f"{part}.gz" for part in _PARTS
    )
    for path in folder.iterdir():
        path.unlink()
    assert len(load("mnist", data_dir=data_dir, download=False).test) == 20


def test_without_a_folder_the_cache_is_used(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    publish(*server, monkeypatch)
    load("mnist")
    assert len(list((cache_folder() / "mnist").iterdir())) == 4


def test_a_wrong_checksum_leaves_nothing_behind(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = server
    publish(folder, url, monkeypatch)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz could not be downloaded"):
        load("mnist", data_dir=tmp_path / "data")
    assert not any(p.is_file() for p in (tmp_path / "data").rglob("*"))


def test_no_network_is_one_message_that_says_what_to_do(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = server
    publish(folder, url, monkeypatch)
    port = url.rstrip("/").rpartition(":")[2]
    publish(folder, f"http://127.0.0.1:{port}/nowhere/", monkeypatch)
    with pytest.raises(DataError) as caught:
        load("mnist", data_dir=tmp_path / "data")
    message = str(caught.value)
    assert "\n" not in message
    assert all(f"{part}.gz" in message for part in _PARTS)
    assert f"put them into {tmp_path / 'data' / 'mnist'}" in message


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100"])
def test_downloads_can_be_forbidden(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"not found in \S+ and downloading is off; get http"):
        load(name, data_dir=tmp_path, download=False)


def test_the_next_address_is_tried(server: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = server
    (folder / "file.bin").write_bytes(b"content")
    md5 = hashlib.md5(b"content").hexdigest()
    urls = (f"{url}nowhere/file.bin", f"{url}file.bin")
    request = Request("", tmp_path, download=True, memory_budget=0)
    found = fetch([RemoteFile("file.bin", md5, urls)], tmp_path / "to", request, "x")
    assert found == [tmp_path / "to" / "file.bin"]
    assert found[0].read_bytes() == b"content"
