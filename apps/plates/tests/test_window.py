"""The window on a display that nobody sees (Xvfb)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from apps.plates.tests.pictures import BlueReader, scene, write

from didact_plates.errors import PlatesError
from didact_plates.finding import Finder

pytest.importorskip("tkinter", reason="this Python has no tkinter")

from didact_plates.window import Window


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed")
    process = subprocess.Popen(
        [server, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield f":{process.stdout.readline().strip()}"
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture
def window(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("DISPLAY", display)
    files = [
        write(tmp_path / "a.png", scene()[0]),
        write(tmp_path / "b.png", np.full((300, 400, 3), 90, np.uint8)),
    ]
    (tmp_path / "c.png").write_text("no picture")
    made = Window(Finder(BlueReader()), [tmp_path])
    assert made.files == [*files, tmp_path / "c.png"]
    made.root.update()
    yield made
    made.root.destroy()


def texts(window: Window) -> list[str]:
    """What stands on the right."""
    found, waiting = [], [window.side]
    while waiting:
        widget = waiting.pop(0)
        waiting += widget.winfo_children()
        if widget.winfo_class() == "Label":
            found.append(str(widget.cget("text")))
    return [text for text in found if text]


def test_a_photograph_with_its_plate(window: Window) -> None:
    assert window.status.get().startswith("1/3  a.png")
    assert window.status.get().endswith(" ms")
    assert "京A12345" in texts(window)
    assert any(text.startswith("blue") and text.endswith("%") for text in texts(window))
    (picture,) = window.canvas.find_all()
    assert window.canvas.type(picture) == "image"


def test_going_along_by_keys_and_by_dragging(window: Window) -> None:
    window.root.focus_force()
    window.root.update()
    window.root.event_generate("<Right>")
    window.root.update()
    assert window.status.get().startswith("2/3  b.png  no plate was found")
    assert texts(window) == []
    window.canvas.event_generate("<ButtonPress-1>", x=300, y=100)
    window.canvas.event_generate("<ButtonRelease-1>", x=200, y=100)
    assert "c.png is no picture that can be read" in window.status.get()
    assert window.canvas.find_all() == ()
    window.root.event_generate("<Right>")
    assert window.status.get().startswith("1/3")
    window.root.event_generate("<Left>")
    assert window.status.get().startswith("3/3")
    window.canvas.event_generate("<ButtonPress-1>", x=200, y=100)
    window.canvas.event_generate("<ButtonRelease-1>", x=210, y=100)
    assert window.status.get().startswith("3/3"), "a click is no drag"


def test_a_window_without_photographs_and_of_another_size(window: Window) -> None:
    window.show([])
    assert window.status.get().startswith("Open photographs")
    window.step(1)
    window.show([Path("none.png")])
    assert "there is no file none.png" in window.status.get()
    window.root.geometry("700x500")
    window.root.update()
    assert window.canvas.winfo_width() < 400


def test_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9876")
    with pytest.raises(PlatesError, match="there is no display to open a window on"):
        Window(Finder(BlueReader()))
