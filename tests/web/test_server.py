"""The local server answers the page alone, and nothing holds it up."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from didact._core.errors import MissingDependencyError
from didact.web.server import MOST_BYTES, Answerer, listening, serve

TOKEN = "the-token"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    sock = listening(0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(sock, token=TOKEN))

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield sock.getsockname()[1]
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    sock.close()


def ask(
    port: int, path: str, body: object = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    given = {"X-Didact-Token": TOKEN} | {k.replace("_", "-"): v for k, v in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, data if body else None, given)
    reply = connection.getresponse()
    found = reply.status, reply.read().decode(), dict(reply.getheaders())
    connection.close()
    return found


def test_the_page_and_its_policy(port):
    status, text, headers = ask(port, "/")
    assert status == 200
    assert TOKEN in text
    assert "@" not in re.sub(r"@media|@import", "", text)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for name in ("page.css", "page.js", "show.js", "texts.js", "share.js", "backend.js"):
        assert ask(port, f"/{name}")[0] == 200
    for name in ("server.py", "worker.js", "..%2f__init__.py", "nothing"):
        assert ask(port, f"/{name}")[0] == 404


def test_an_answer_in_both_languages(port):
    body = {"text": "loss = F.kl_div(F.softmax(s, 1), F.softmax(t, 1))", "language": "en"}
    status, text, _ = ask(port, "/api/answer", body)
    found = json.loads(text)
    assert status == 200
    assert "KD101" in {finding["code"] for finding in found["findings"]}
    chinese = json.loads(ask(port, "/api/answer", {**body, "language": "zh"})[1])
    assert re.search("[\u4e00-\u9fff]", chinese["findings"][0]["message"])
    page = json.loads(ask(port, "/api/rule", {"code": "KD101", "language": "en"})[1])
    assert {"heading", "code", "text"} <= {block["kind"] for block in page["blocks"]}


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Didact_Token": "wrong"},
        {"X_Didact_Token": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
    ],
)
def test_another_page_gets_nothing(port, headers):
    status, text, _ = ask(port, "/api/answer", {"text": "x", "language": "zh"}, **headers)
    assert status == 403
    assert "didact web" in json.loads(text)["error"]


def test_a_rebound_name_gets_no_page_and_so_no_token(port):
    status, text, _ = ask(port, "/", Host="evil.example")
    assert (status, text) == (404, "")


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/api/answer", b"no json", 400, "not understood"),
        ("/api/answer", b"[" * 100_000, 400, "not understood"),
        ("/api/answer", [1], 400, "not understood"),
        ("/api/other", {"text": "x"}, 400, "not understood"),
        ("/api/answer", {"text": 3}, 200, "unknown"),
        ("/api/answer", {"text": "", "language": "en"}, 200, "nothing to explain"),
        ("/api/answer", {"text": "x" * 1_000_001}, 200, "1000001 characters"),
        ("/api/answer", {"text": "{", "name": "a.ipynb"}, 200, "not a notebook"),
        ("/api/rule", {"code": "KD999"}, 200, "KD999"),
        ("/api/answer", b" " * (MOST_BYTES + 1), 413, "too large"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(port, path, body, status, says):
    found, text, _ = ask(port, path, body)
    assert found == status
    assert says in json.loads(text)["error"]


def test_an_answer_that_takes_too_long_is_given_up_and_the_next_one_comes():
    async def both() -> tuple[str, str]:
        answerer = Answerer(seconds=60)
        await answerer("rule", '{"code": "KD101", "language": "en"}', "en")
        answerer.seconds = 1e-9
        late = await answerer("answer", json.dumps({"text": "x = 1\n" * 30_000}), "zh")
        answerer.seconds = 60
        soon = await answerer("rule", '{"code": "KD101", "language": "en"}', "en")
        await answerer.close()
        return late, soon

    late, soon = asyncio.run(both())
    assert "秒内没有得出结果" in json.loads(late)["error"]
    assert json.loads(soon)["code"] == "KD101"


def test_a_taken_port_is_no_obstacle():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = listening(taken.getsockname()[1])
        assert found.getsockname()[0] == "127.0.0.1"
        assert found.getsockname()[1] != taken.getsockname()[1]
        found.close()


def test_ctrl_c_ends_it_quietly():
    server = subprocess.Popen(
        [sys.executable, "-m", "didact", "web", "--no-browser", "--port", "0", "--lang", "zh"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "已启动" in server.stdout.readline()
    import time

    time.sleep(1.5)
    server.send_signal(signal.SIGINT)
    _, error = server.communicate(timeout=20)
    assert error == ""
    assert server.returncode in (0, 130)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    from didact.cli.web import command

    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(MissingDependencyError, match=r"didact\[web\]"):
        command(port=0, no_browser=True, lang="en")


def test_a_page_that_is_closed_while_it_sends_leaves_no_traceback(port, caplog):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
        )
    assert ask(port, "/")[0] == 200
    assert ask(port, "/api/rule", {"code": "KD101", "language": "en"})[0] == 200
    assert "Exception in ASGI" not in caplog.text
