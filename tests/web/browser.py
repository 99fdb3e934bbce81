"""A real browser for the page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "" if CHROMIUM else "Chromium is not installed"
PYODIDE = Path(os.environ.get("DIDACT_PYODIDE", "build/pyodide/package"))
NO_PYODIDE = "" if PYODIDE.is_dir() else f"no npm package pyodide in {PYODIDE} (make site)"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DONE = re.compile(r"^(Explained|解释完毕|No answer|没有得到)")


@contextmanager
def local_server() -> Iterator[str]:
    """``didact web`` as a user starts it; its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "didact", "web", "--no-browser", "--port", "0", "--lang", "en"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        (address,) = re.findall(r"http://\S+", server.stdout.readline())
        yield address
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()  # type: ignore[union-attr]


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """Any static host: the files of a folder."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Watched:
    """A page, and everything that must not happen on it."""

    page: Any
    trouble: list[str] = field(default_factory=list)

    def explain(self, text: str) -> None:
        """Paste a text and wait for its explanation."""
        self.page.locator("#paste").fill(text)
        self.page.locator("#explain").click()
        self.wait()

    def wait(self) -> None:
        """Wait for the answer."""
        from playwright.sync_api import expect

        expect(self.page.locator("#status")).to_have_text(DONE, timeout=120_000)
        expect(self.page.locator("#result")).to_have_attribute("aria-busy", "false")

    def axe(self) -> list[str]:
        """The violations that axe-core sees."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found]


@contextmanager
def watched(browser: Any, address: str, **options: Any) -> Iterator[Watched]:
    """A page at ``address``; afterwards it must have made no trouble."""
    # Without motion: in the middle of a fade the colours are not those of the page.
    context = browser.new_context(reduced_motion="reduce", **options)
    page = context.new_page()
    found = Watched(page)
    home = address.rpartition("/")[0] + "/"
    page.on("pageerror", lambda error: found.trouble.append(f"error: {error}"))
    page.on("console", lambda m: found.trouble.append(m.text) if m.type == "error" else None)

    def request(one: Any) -> None:
        if not one.url.startswith((home, "data:", f"blob:{home}", "about:")):
            found.trouble.append(f"foreign request: {one.url}")

    page.on("request", request)
    page.goto(address)
    try:
        yield found
    finally:
        context.close()
    assert found.trouble == []
