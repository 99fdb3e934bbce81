"""A client that speaks the protocol itself to ``didact check --lsp``."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("pygls")

URI = "file:///tmp/didact-none/a.py"


class Client:
    def __init__(self, process):
        self._process = process
        self._next = 0

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self):
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._process.stdout.read(length))

    def notify(self, method, parameters):
        self._send({"method": method, "params": parameters})

    def request(self, method, parameters=None):
        self._next += 1
        self._send({"id": self._next, "method": method, "params": parameters})
        while (message := self._receive()).get("id") != self._next:
            pass
        return message["result"]

    def diagnostics(self):
        while (message := self._receive()).get("method") != "textDocument/publishDiagnostics":
            pass
        return message["params"]["diagnostics"]


@pytest.fixture
def client():
    command = [sys.executable, "-m", "didact", "check", "--lsp", "--lang", "en"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        client = Client(process)
        yield client
        client.request("shutdown")
        client.notify("exit", None)
        assert process.wait(timeout=20) == 0


def test_diagnostics_and_a_quick_fix(client):
    result = client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    assert result["capabilities"]["codeActionProvider"]["codeActionKinds"] == ["quickfix"]
    client.notify("initialized", {})
    text = "x = 1\n'\U0001f600'; y = 2  # noqa: KD101\n"
    document = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})
    (diagnostic,) = client.diagnostics()
    assert (diagnostic["code"], diagnostic["source"]) == ("KD001", "didact")
    # columns are UTF-16 units: the emoji counts twice
    assert diagnostic["range"]["start"] == {"line": 1, "character": 13}
    context = {"diagnostics": [diagnostic]}
    place = {"textDocument": {"uri": URI}, "range": diagnostic["range"], "context": context}
    (action,) = client.request("textDocument/codeAction", place)
    assert action["isPreferred"] is True
    (edit,) = action["edit"]["changes"][URI]
    assert edit == {
        "range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 26}},
        "newText": "",
    }
    changed = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [edit | {"text": ""}]}
    client.notify("textDocument/didChange", changed)
    assert client.diagnostics() == []
    place["range"] = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
    assert client.request("textDocument/codeAction", place) == []
