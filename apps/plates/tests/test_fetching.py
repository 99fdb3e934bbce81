"""The character set: from archives with a known digest alone, each picture once."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from didact_plates import fetching
from didact_plates.cli import main
from didact_plates.errors import DownloadError

py7zr = pytest.importorskip("py7zr", reason="py7zr is not installed")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small archives of the form of the real ones: ten pictures a class, one of them twice."""
    folder = tmp_path_factory.mktemp("archives")
    rng = np.random.default_rng(0)
    for archive, classes in (("chars2", ["7", "A"]), ("charsChinese", ["zh_jing", "zh_nothing"])):
        for name in classes:
            inside = folder / archive / name
            inside.mkdir(parents=True)
            for number in range(10):
                small = rng.integers(0, 2, (5, 5)).astype(np.uint8) * 255
                content = cv2.imencode(".jpg", cv2.resize(small, (20, 20)))[1].tobytes()
                (inside / f"{number}.jpg").write_bytes(content)
            (inside / "again.jpg").write_bytes(content)
        with py7zr.SevenZipFile(folder / f"{archive}.7z", "w") as file:
            file.writeall(folder / archive, archive)
    return folder


@pytest.fixture
def _known(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {
        name: hashlib.sha256((archives / name).read_bytes()).hexdigest()
        for name in fetching.ARCHIVES
    }
    monkeypatch.setattr(fetching, "ARCHIVES", digests)


@pytest.mark.usefixtures("_known")
def test_the_set_from_a_folder(archives: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    arguments = ["didact-plates", "fetch", str(tmp_path / "data"), "--from", str(archives)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--lang", "en"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "30 characters of 3 classes, 6 of them for tests" in capsys.readouterr().out
    with np.load(tmp_path / "data" / fetching.NAME) as file:
        assert file["x"].shape == (30, 20, 20)
        assert file["glyph"].tolist() == ["7", "A", "京"]
        assert np.bincount(file["y"]).tolist() == [10, 10, 10]
        assert [int(file["is_test"][file["y"] == k].sum()) for k in range(3)] == [2, 2, 2]


def test_another_file_is_refused(archives: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"chars2.7z is not the file that is expected: its SHA"):
        fetching.fetch(tmp_path, archives)
    with pytest.raises(DownloadError, match=r"chars2.7z cannot be read: No such file"):
        fetching.fetch(tmp_path / "new", tmp_path)
    assert not (tmp_path / "new").exists()


def test_without_network_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "ADDRESS", "http://127.0.0.1:9/")
    with pytest.raises(DownloadError, match=r"could not be fetched .* use --from FOLDER"):
        fetching.fetch(tmp_path)


@pytest.mark.usefixtures("_known")
def test_a_file_in_the_place_of_the_folder(archives: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DownloadError, match="is there already, and is no folder"):
            fetching.fetch(target, archives)


@pytest.mark.usefixtures("_known")
def test_a_damaged_archive(archives: Path, tmp_path: Path, monkeypatch) -> None:
    content = (archives / "chars2.7z").read_bytes()
    for name in fetching.ARCHIVES:
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    digest = hashlib.sha256((tmp_path / "chars2.7z").read_bytes()).hexdigest()
    monkeypatch.setattr(fetching, "ARCHIVES", dict.fromkeys(fetching.ARCHIVES, digest))
    with pytest.raises(DownloadError, match=r"chars2.7z is damaged"):
        fetching.fetch(tmp_path / "out", tmp_path)
