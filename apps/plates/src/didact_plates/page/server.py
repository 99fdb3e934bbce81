"""A server on the loopback address for the user's own browser."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import time
from contextlib import suppress
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import cv2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from didact_plates.errors import PlatesError
from didact_plates.finding import Finder, Plate
from didact_plates.locate import Image
from didact_plates.photographs import decode_picture
from didact_plates.texts import say, speak, spoken

HOST = "127.0.0.1"
MOST_BYTES = 64_000_000
"""Of a photograph."""
SHOWN = 1280
"""Pixels of the longer side of the photograph as the page shows it."""
PAGES = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(port: int, token: str, finder: Finder) -> Starlette:
    """The page and its call; only for the page itself, opened under ``port``."""
    hosts = {f"{host}:{port}" for host in (HOST, "localhost")}
    turn = asyncio.Lock()
    language = spoken()

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "page.html")
        if request.headers.get("host") not in hosts or name not in PAGES:
            return _reply("", 404, "text/plain")
        text = files("didact_plates.page").joinpath(name).read_text("utf-8")
        if name == "page.html":
            text = text.replace("@TOKEN@", token).replace("@LANGUAGE@", language)
        return _reply(text, 200, PAGES[name])

    async def read(request: Request) -> Response:
        speak("zh" if request.headers.get("x-language") == "zh" else "en")
        if not _is_own(request, hosts, token):
            return _error(say("this request does not come from the page; open that again"), 403)
        try:
            body = await _body(request)
        except ClientDisconnect:  # a page that was closed: there is nobody to answer
            return _reply("", 400)
        if body is None:
            megabytes = MOST_BYTES // 1_000_000
            return _error(say("the file has more than {size} megabytes", size=megabytes), 413)
        name = unquote(request.headers.get("x-name", ""))[:200] or "photograph"
        async with turn:
            try:
                found = await asyncio.to_thread(answer, finder, body, name)
            except PlatesError as error:
                return _error(str(error), 422)
            except MemoryError:
                return _error(say("there is not enough memory for this"), 507)
        return _reply(json.dumps(found, ensure_ascii=False), 200)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/{name}", page),
            Route("/api/read", read, methods=["POST"]),
        ]
    )


def answer(finder: Finder, content: bytes, name: str) -> dict[str, Any]:
    """What the page shows of a photograph: itself, small, and its plates.

    Raises:
        PictureError: The content is no picture, too large or damaged.
    """
    image, _ = decode_picture(content, name)
    start = time.perf_counter()
    plates = finder.find(image)
    milliseconds = 1000 * (time.perf_counter() - start)
    height, width = image.shape[:2]
    return {
        "name": name,
        "width": width,
        "height": height,
        "milliseconds": round(milliseconds, 1),
        "photograph": _as_url(_small(image), ".jpg"),
        "plates": [_shown(plate, width, height) for plate in plates],
    }


def _shown(plate: Plate, width: int, height: int) -> dict[str, Any]:
    """A plate with its corners as parts of the photograph's width and height."""
    return {
        "text": plate.text,
        "colour": plate.colour,
        "rows": plate.rows,
        "confidence": round(plate.confidence, 4),
        "corners": [[float(x) / width, float(y) / height] for x, y in plate.corners],
        "crop": _as_url(plate.crop, ".png"),
    }


def _small(image: Image) -> Image:
    scale = max(image.shape[:2]) / SHOWN
    if scale <= 1:
        return image
    size = (max(round(image.shape[1] / scale), 1), max(round(image.shape[0] / scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _as_url(image: Image, suffix: str) -> str:
    _, content = cv2.imencode(suffix, image)
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}"


def _is_own(request: Request, hosts: set[str], token: str) -> bool:
    origin = request.headers.get("origin")
    given = request.headers.get("x-plates-token", "")
    return (
        request.headers.get("host") in hosts
        and (origin is None or origin.removeprefix("http://") in hosts)
        and secrets.compare_digest(given.encode(), token.encode())
    )


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is longer than a photograph may be."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _error(text: str, status: int) -> Response:
    return _reply(json.dumps({"error": text}, ensure_ascii=False), status)


def _reply(text: str, status: int, kind: str = "application/json") -> Response:
    headers = {
        "Content-Security-Policy": POLICY,
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
        PlatesError: No port can be had.
    """
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for wanted in (port, 0):
        with suppress(OSError, OverflowError):
            found.bind((HOST, wanted))
            found.listen()
            return found
    found.close()
    raise PlatesError(say("no port of {host} is free", host=HOST))


async def serve(sock: socket.socket, finder: Finder, token: str | None = None) -> None:
    """Answer the page until this is cancelled or the process is told to end."""
    app = application(sock.getsockname()[1], token or secrets.token_urlsafe(24), finder)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off"
    )
    await uvicorn.Server(config).serve([sock])
