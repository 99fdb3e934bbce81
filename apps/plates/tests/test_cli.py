"""``didact-plates photo.jpg ...``: what it prints, writes and refuses, in both languages."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from apps.plates.tests.pictures import BlueReader, scene, write

from didact import DidactError
from didact_plates import __version__, models
from didact_plates.cli import COMMANDS, main, with_command
from didact_plates.finding import LEAST_SURE, Finder


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIDACT_LANG", "en")
    monkeypatch.setattr(
        models, "finder", lambda *_, least, **__: Finder(BlueReader(), least_sure=least or 0.5)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph with a plate, a large one, one without, and a text file."""
    path = tmp_path_factory.mktemp("photos")
    image, _ = scene()
    write(path / "a.png", image)
    write(path / "b.png", cv2.resize(image, None, fx=6, fy=6))
    write(path / "c.png", np.full((200, 300, 3), 90, np.uint8))
    (path / "d.jpg").write_text("no picture")
    return path


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["didact-plates", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_photograph_as_text(folder, capsys, monkeypatch) -> None:
    assert run(folder / "a.png", folder / "c.png", monkeypatch=monkeypatch) == 0
    first, second = capsys.readouterr().out.splitlines()
    name, text, colour, confidence, place, took = first.split("  ")
    assert (name, text, colour) == (str(folder / "a.png"), "京A12345", "blue")
    assert confidence.endswith("%")
    assert place.startswith("(")
    assert took.endswith(" ms")
    assert second.startswith(f"{folder / 'c.png'}  no plate was found  ")


def test_the_same_in_chinese(folder, capsys, monkeypatch) -> None:
    for arguments in (["--lang", "zh", folder / "a.png"], [folder / "a.png", "--lang=zh"]):
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        assert "  蓝  " in capsys.readouterr().out
    assert run("--lang", "zh", folder / "d.jpg", monkeypatch=monkeypatch) == 2
    assert "错误：" in (said := capsys.readouterr().err)
    assert "d.jpg 不是可以读取的图片" in said


def test_json_has_places_in_the_pixels_of_the_file(folder, capsys, monkeypatch) -> None:
    assert run("--json", folder / "a.png", folder / "b.png", monkeypatch=monkeypatch) == 0
    small, large = json.loads(capsys.readouterr().out)
    assert small["file"] == str(folder / "a.png")
    one, other = small["plates"][0], large["plates"][0]
    assert one["text"] == "京A12345"
    assert one["rows"] == 1
    assert len(one["corners"]) == 4
    assert np.abs(np.array(other["box"]) / 6 - one["box"]).max() < 8


def test_a_box_lies_in_the_picture(tmp_path, capsys, monkeypatch) -> None:
    image, (left, top, right, bottom) = scene(high=60)
    path = write(tmp_path / "edge.png", image[top + 2 : bottom - 2, left + 2 : right - 2])
    assert run("--json", path, monkeypatch=monkeypatch) == 0
    (found,) = json.loads(capsys.readouterr().out)
    for one in found["plates"]:
        x, y, width, height = one["box"]
        assert min(x, y) >= 0
        assert x + width <= right - left - 4
        assert y + height <= bottom - top - 4


def test_a_folder_as_csv_goes_on_after_what_cannot_be_read(folder, capsys, monkeypatch) -> None:
    assert run(folder, "--csv", monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png"]
    assert {row["text"] for row in rows} == {"京A12345"}
    assert said.err.count("\n") == 1
    assert "d.jpg is no picture" in said.err


def test_json_is_whole_where_nothing_was_read(capsys, monkeypatch) -> None:
    assert run("none.jpg", "--json", monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert said.err == "error: there is no file none.jpg\n"


def test_drawn_photographs(folder, tmp_path, capsys, monkeypatch) -> None:
    out = tmp_path / "drawn"
    arguments = (folder / "a.png", folder / "c.png", "--draw", out)
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "c.png"]
    before, after = (cv2.imread(str(path / "a.png")) for path in (folder, out))
    assert (before != after).any()
    assert (cv2.imread(str(out / "c.png")) == cv2.imread(str(folder / "c.png"))).all()
    capsys.readouterr()
    assert run(*arguments[:1], "--draw", folder, monkeypatch=monkeypatch) == 2
    assert "has photographs that are read" in capsys.readouterr().err
    assert run(*arguments[:1], "--draw", folder / "a.png", monkeypatch=monkeypatch) == 2
    assert "is a file; expected a folder" in capsys.readouterr().err


def test_a_film(tmp_path, capsys, monkeypatch) -> None:
    image, _ = scene()
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, image.shape[1::-1])
    for _ in range(8):
        writer.write(image)
    writer.release()
    arguments = (path, "--every", 4, "--draw", tmp_path / "out", "--json")
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["frame"] for one in found] == [0, 4]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "film-000000.jpg",
        "film-000004.jpg",
    ]


def test_what_is_typed_wrong(folder, capsys, monkeypatch) -> None:
    for arguments, words in (
        ((folder / "a.png", "--json", "--csv"), "--json and --csv were both given"),
        ((folder / "a.png", "--lang", "fr"), "--lang is 'fr'; expected en or zh"),
        ((folder / "a.png", "--nothing"), "No such option: --nothing"),
        ((folder / "a.png", "--nothing", "--lang", "zh"), "没有选项 --nothing"),
        ((folder / "a.png", "--every", "0", "--lang", "zh"), "应不小于 1"),
        ((folder / "a.png", "--every", "x", "--lang", "zh"), "应为整数"),
        ((folder / "a.png", "--least", "2", "--lang", "zh"), "应不大于 1"),
        (("--lang", "zh", "read"), "缺少参数"),
    ):
        assert run(*arguments, monkeypatch=monkeypatch) == 2
        assert words in capsys.readouterr().err


def test_the_help_says_from_which_confidence_on_a_plate_counts(capsys, monkeypatch) -> None:
    assert run("read", "--help", monkeypatch=monkeypatch) == 0
    assert f"[default: {LEAST_SURE}" in capsys.readouterr().out


def test_help_and_version(capsys, monkeypatch) -> None:
    assert run("--version", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == f"didact-plates {__version__}\n"
    for arguments, words in (
        (("--help",), "Commands"),
        (("--lang", "zh", "--help"), "命令："),
        (("--lang", "zh", "--help"), "显示本说明后退出。"),
        (("photo.jpg", "--help", "--lang", "zh"), "照片、装有照片的文件夹"),
    ):
        assert run(*arguments, monkeypatch=monkeypatch) == 0
        assert words in capsys.readouterr().out


def test_a_command_is_named_first_or_photographs_are_read() -> None:
    assert with_command([]) == []
    for command in COMMANDS:
        assert with_command([command, "x"]) == [command, "x"]
        assert with_command(["--lang", "zh", command]) == ["--lang", "zh", command]
    assert with_command(["a.jpg"]) == ["read", "a.jpg"]
    assert with_command(["--draw", "read", "a.jpg"]) == ["read", "--draw", "read", "a.jpg"]
    assert with_command(["--lang=zh", "a.jpg"]) == ["read", "--lang=zh", "a.jpg"]
    assert with_command(["./read"]) == ["read", "./read"]


def test_what_didact_refuses_is_one_sentence(capsys, monkeypatch) -> None:
    def refuse(*_, **__):
        raise DidactError("no such thing; expected another")

    monkeypatch.setattr(models, "finder", refuse)
    assert run("photo.jpg", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "error: no such thing; expected another\n"
