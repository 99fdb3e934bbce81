"""The page on this machine: a server on the loopback address for the user's own browser."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from didact._core.errors import UsageError
from didact._core.i18n import Language, Text
from didact.web.policy import LOCAL, index_page

HOST = "127.0.0.1"
MOST_BYTES = 6_000_000
"""Of a request: a million characters, each of up to six bytes as JSON writes it."""
MOST_SECONDS = 30.0
"""Of an answer; after that the process that works on it is ended."""
PAGES = {
    "index.html": "text/html",
    "page.css": "text/css",
    **dict.fromkeys(
        ("page.js", "show.js", "texts.js", "share.js", "backend.js"), "text/javascript"
    ),
}
CALLS = ("answer", "rule")

FOREIGN = Text(
    "This request does not come from the page that didact web opened; open that page again.",
    "请求不是来自 didact web 打开的页面，请重新打开该页面。",
)
TOO_LARGE = Text("The request is too large.", "请求过大。")
TOO_SLOW = Text(
    "There was no answer within {seconds:.0f} seconds; paste a smaller part.",
    "{seconds:.0f} 秒内没有得出结果，请粘贴更小的一段。",
)
ENDED = Text(
    "The text could not be explained: the process that read it ended.",
    "无法解释这段文本：负责分析的进程已退出。",
)
NOT_UNDERSTOOD = Text("The request was not understood.", "无法识别该请求。")


class Answerer:
    """The worker process: started when first needed, ended when it takes too long."""

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self.seconds = seconds
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, name: str, arguments: str, language: Language) -> str:
        """The answer as JSON; what went wrong stands in it as a sentence."""
        async with self._turn:
            process = await self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), self.seconds)
            except TimeoutError:
                await self.close()
                return _error(TOO_SLOW.format(seconds=self.seconds), language)
            except (ConnectionError, ValueError):
                line = b""
            if not line.endswith(b"\n"):
                await self.close()
                return _error(ENDED, language)
            return line.decode()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "didact.web.worker",
                stdin=PIPE,
                stdout=PIPE,
                limit=2**28,
            )
        return self._process

    async def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._process = None


def _error(text: Text, language: Language) -> str:
    return json.dumps({"error": text.pick(language)}, ensure_ascii=False)


def application(port: int, token: str, answerer: Answerer) -> Starlette:
    """The page, its files and its calls; only for the page itself, opened under ``port``."""
    hosts = {f"{host}:{port}" for host in (HOST, "localhost")}

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if request.headers.get("host") not in hosts or name not in PAGES:
            return _reply("", 404, "text/plain")
        if name == "index.html":
            text = index_page("local", token=token)  # the policy is a header here
        else:
            text = files("didact.web").joinpath("page", name).read_text("utf-8")
        return _reply(text, 200, PAGES[name])

    async def call(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:  # a page that was closed: there is nobody to answer
            return _reply("", 400)
        values = _values(body)
        language: Language = "zh" if values.get("language") == "zh" else "en"
        if not _is_own(request, hosts, token):
            return _reply(_error(FOREIGN, language), 403)
        if body is None:
            return _reply(_error(TOO_LARGE, language), 413)
        name = request.path_params["name"]
        if name not in CALLS or not values:
            return _reply(_error(NOT_UNDERSTOOD, language), 400)
        return _reply(await answerer(name, body.decode(), language), 200)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/{name}", page),
            Route("/api/{name}", call, methods=["POST"]),
        ]
    )


def _is_own(request: Request, hosts: set[str], token: str) -> bool:
    origin = request.headers.get("origin")
    return (
        request.headers.get("host") in hosts
        and (origin is None or origin.removeprefix("http://") in hosts)
        and secrets.compare_digest(
            request.headers.get("x-didact-token", "").encode(), token.encode()
        )
    )


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is longer than any paste may be."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body


def _values(body: bytes | None) -> dict[str, Any]:
    try:
        values = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _reply(text: str, status: int, kind: str = "application/json") -> Response:
    headers = {
        "Content-Security-Policy": LOCAL,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Response(text.encode(), status, headers, f"{kind}; charset=utf-8")


def listening(port: int) -> socket.socket:
    """A socket on the loopback address; a free port where ``port`` is taken.

    Raises:
        UsageError: No port can be had.
    """
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for wanted in (port, 0):
        with suppress(OSError, OverflowError):
            found.bind((HOST, wanted))
            found.listen()
            return found
    found.close()
    raise UsageError(f"no port can be opened on {HOST}, neither {port} nor another")


async def serve(sock: socket.socket, *, token: str | None = None) -> None:
    """Serve until interrupted."""
    answerer = Answerer()
    port = sock.getsockname()[1]
    app = application(port, token or secrets.token_urlsafe(24), answerer)
    configuration = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off"
    )
    try:
        await uvicorn.Server(configuration).serve(sockets=[sock])
    finally:
        await answerer.close()
