"""The page: it answers its own browser alone, and shows what was found."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from apps.plates.tests.pictures import BlueReader, scene, write

from didact_plates.finding import Finder

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from didact_plates.page import server

TOKEN = "the-token"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    sock = server.listening(0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(server.serve(sock, Finder(BlueReader()), TOKEN))

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield sock.getsockname()[1]
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    sock.close()


@pytest.fixture(scope="module")
def photograph() -> bytes:
    return cv2.imencode(".png", scene()[0])[1].tobytes()


def ask(
    port: int, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    given = {"X-Plates-Token": TOKEN} | {k.replace("_", "-"): v for k, v in headers.items()}
    connection.request("GET" if body is None else "POST", path, body, given)
    reply = connection.getresponse()
    found = reply.status, reply.read().decode(), dict(reply.getheaders())
    connection.close()
    return found


def test_the_page_and_its_policy(port: int) -> None:
    status, text, headers = ask(port, "/")
    assert status == 200
    assert TOKEN in text
    assert "@TOKEN@" not in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for name in ("page.css", "page.js", "page.html"):
        assert ask(port, f"/{name}")[0] == 200
    for name in ("server.py", "..%2f__init__.py", "nothing"):
        assert ask(port, f"/{name}")[0] == 404


def test_a_photograph(port: int, photograph: bytes) -> None:
    status, text, _ = ask(port, "/api/read", photograph, X_Name="%E7%85%A7.png")
    found = json.loads(text)
    assert status == 200
    assert (found["name"], found["width"], found["height"]) == ("照.png", 640, 480)
    (plate,) = found["plates"]
    assert plate["text"] == "京A12345"
    assert plate["crop"].startswith("data:image/png;base64,")
    assert found["photograph"].startswith("data:image/jpeg;base64,")
    _, box = scene()
    corners = np.array(plate["corners"]) * (640, 480)
    assert np.abs(corners.min(0) - box[:2]).max() < 8


def test_what_is_no_picture_gets_a_sentence_in_the_language_of_the_page(port: int) -> None:
    status, text, _ = ask(port, "/api/read", b"no picture", X_Name="a.txt", X_Language="zh")
    assert status == 422
    assert "a.txt 不是可以读取的图片" in json.loads(text)["error"]
    assert "is of no size" in json.loads(ask(port, "/api/read", b"")[1])["error"]


def test_others_are_refused(port: int, photograph: bytes) -> None:
    for headers in (
        {"X_Plates_Token": "another"},
        {"X_Plates_Token": "ä"},
        {"Origin": "http://example.com"},
        {"Host": "example.com"},
    ):
        status, text, _ = ask(port, "/api/read", photograph, **headers)
        assert status == 403
        assert "does not come from the page" in json.loads(text)["error"]
    assert ask(port, "/", Host="example.com")[0] == 404
    assert ask(port, "/api/read", photograph, Origin=f"http://127.0.0.1:{port}")[0] == 200
    assert ask(port, "/api/read")[0] == 405


def test_too_much_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_BYTES", 1_000_000)
    status, text, _ = ask(port, "/api/read", b"0" * 1_000_001)
    assert status == 413
    assert "more than 1 megabytes" in json.loads(text)["error"]


def test_a_port_that_is_taken() -> None:
    first = server.listening(0)
    second = server.listening(first.getsockname()[1])
    assert second.getsockname()[1] != first.getsockname()[1]
    first.close()
    second.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


def test_photographs_dropped_in_a_browser(browser: Any, port: int, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = browser.new_page()
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(f"http://127.0.0.1:{port}/")
    files = [write(tmp_path / "car.png", scene()[0]), tmp_path / "bad.png"]
    files[1].write_text("no picture")
    page.locator("#file").set_input_files(files[:1])
    expect(page.locator("#status")).to_have_text(re.compile(r"^1 plate, \d+ ms$"))
    expect(page.locator("article strong")).to_have_text("京A12345")
    outline = page.locator("article polygon").bounding_box()
    picture = page.locator("article figure img").bounding_box()
    scale = 640 / picture["width"]
    _, box = scene()
    left, top = ((outline[k] - picture[k]) * scale for k in ("x", "y"))
    assert abs(left - box[0]) < 12
    assert abs(top - box[1]) < 12
    assert page.evaluate("document.querySelector('li img').naturalWidth") > 50
    assert trouble == []
    page.locator("#language").click()
    expect(page.locator("#ask")).to_have_text("把照片拖到这里，或点击选择")
    expect(page.locator("li span")).to_have_text(re.compile("^蓝牌, 置信度"))
    page.locator("#file").set_input_files(files[1:])
    expect(page.locator(".problem")).to_have_text(re.compile("bad.png 不是可以读取的图片"))
    expect(page.locator("article")).to_have_count(2)
    page.evaluate(
        """async () => {
          const data = new DataTransfer();
          data.items.add(new File(["no picture"], "dropped.jpg"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
        }"""
    )
    expect(page.locator("article")).to_have_count(3)
    expect(page.locator(".problem").first).to_have_text(
        re.compile("dropped.jpg 不是可以读取的图片")
    )
    page.close()
