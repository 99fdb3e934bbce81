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

    def codes(self, uri, *, until):
        """The codes in a document, as soon as these are among them or, with "", none is."""
        while True:
            while (message := self._receive()).get("method") != "textDocument/publishDiagnostics":
                pass
            codes = {d["code"] for d in message["params"]["diagnostics"]}
            done = until in codes if until else not codes
            if message["params"]["uri"] == uri and done:
                return message["params"]["diagnostics"]

    def open(self, path):
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1}
        document["text"] = path.read_text()
        self.notify("textDocument/didOpen", {"textDocument": document})
        return path.as_uri()

    def change(self, uri, version, text):
        document = {"uri": uri, "version": version}
        whole = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", whole)


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


HEAD = "import torch\nimport torch.nn.functional as F\n"
HELPER = HEAD + "\n\ndef soften(x, T):\n    return F.{}(x / T, dim=1)\n"
LOSS = (
    HEAD
    + """from helper import soften


def kd(student_logits, teacher_logits, T=4.0):
    target = F.softmax(teacher_logits / T, dim=1)
    return F.kl_div(soften(student_logits, T), target, reduction="batchmean")
"""
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "helper.py").write_text(HELPER.format("log_softmax"))
    (tmp_path / "loss.py").write_text(LOSS)
    return tmp_path


def begin(client, folder, **workspace):
    uri = folder.as_uri()
    folders = [{"uri": uri, "name": "project"}]
    given = {"processId": None, "rootUri": uri, "workspaceFolders": folders}
    client.request("initialize", {**given, "capabilities": {"workspace": workspace}})
    client.notify("initialized", {})


def test_another_file_of_the_folder_counts_and_is_followed(client, folder):
    (folder / "helper.py").write_text(HELPER.format("softmax"))
    begin(client, folder)
    loss = client.open(folder / "loss.py")
    client.codes(loss, until="KD101")
    helper = client.open(folder / "helper.py")
    client.change(helper, 2, HELPER.format("log_softmax"))
    client.codes(loss, until="")
    client.change(helper, 3, HELPER.format("softmax"))
    client.codes(loss, until="KD101")
    (folder / "helper.py").write_text(HELPER.format("log_softmax"))
    client.notify("textDocument/didClose", {"textDocument": {"uri": helper}})
    client.codes(loss, until="")


def test_files_that_other_programs_change_are_read_again(client, folder):
    begin(client, folder, didChangeWatchedFiles={"dynamicRegistration": True})
    loss = client.open(folder / "loss.py")
    client.codes(loss, until="")
    (folder / "helper.py").write_text(HELPER.format("softmax"))
    changes = [{"uri": (folder / "helper.py").as_uri(), "type": 2}]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    client.codes(loss, until="KD101")
    (folder / "helper.py").unlink()
    client.notify("workspace/didChangeWatchedFiles", {"changes": [changes[0] | {"type": 3}]})
    client.codes(loss, until="")


WRONG = (
    HEAD
    + """

def kd(student_logits, teacher_logits):
    teacher = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.softmax(student_logits, dim=1), teacher, reduction="batchmean")
"""
)


def test_a_suggested_edit_is_offered_and_hovering_shows_the_page(client, folder):
    (folder / "wrong.py").write_text(WRONG)
    begin(client, folder)
    uri = client.open(folder / "wrong.py")
    (diagnostic,) = client.codes(uri, until="KD101")
    place = {"textDocument": {"uri": uri}, "range": diagnostic["range"]}
    (action,) = client.request(
        "textDocument/codeAction", {**place, "context": {"diagnostics": [diagnostic]}}
    )
    assert action["isPreferred"] is False
    (edit,) = action["edit"]["changes"][uri]
    assert edit["newText"] == "F.log_softmax(student_logits, dim=1)"
    where = {"textDocument": {"uri": uri}, "position": diagnostic["range"]["start"]}
    hover = client.request("textDocument/hover", where)
    assert hover["contents"]["kind"] == "markdown"
    assert hover["contents"]["value"].startswith("# KD101 ")
    assert client.request(
        "textDocument/hover", where | {"position": {"line": 0, "character": 0}}
    ) is (None)


def test_the_folder_has_its_settings(client, folder):
    (folder / "wrong.py").write_text(WRONG)
    (folder / "pyproject.toml").write_text('[tool.didact.check]\nignore = ["KD101"]\n')
    begin(client, folder)
    client.codes(client.open(folder / "wrong.py"), until="")


def test_settings_that_cannot_be_read_are_told(client, folder):
    (folder / "wrong.py").write_text(WRONG)
    (folder / "pyproject.toml").write_text('[tool.didact.check]\nignored = ["KD101"]\n')
    begin(client, folder)
    while (message := client._receive()).get("method") != "window/showMessage":
        pass
    assert "there is no key 'ignored'" in message["params"]["message"]
    client.codes(client.open(folder / "wrong.py"), until="KD101")


def test_cells_of_a_notebook_do_not_mix(client):
    client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    client.notify("initialized", {})
    cells = {f"vscode-notebook-cell:/n.ipynb#c{n}": t for n, t in enumerate((WRONG, HEAD, WRONG))}
    for uri, text in cells.items():
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        client.notify("textDocument/didOpen", {"textDocument": document})
    for uri, text in cells.items():
        client.codes(uri, until="KD101" if text is WRONG else "")


def test_what_was_worked_out_from_a_file_that_changed_is_worked_out_anew(client, folder):
    """The loss needs the helper by way of a third file, which stays as it is."""
    (folder / "helper.py").write_text(HELPER.format("softmax"))
    middle = "from helper import soften\n\n\ndef both(x, T):\n    return soften(x, T)\n"
    (folder / "middle.py").write_text(HEAD + middle)
    text = LOSS.replace("from helper import soften", "from middle import both")
    (folder / "loss.py").write_text(text.replace("soften(student", "both(student"))
    begin(client, folder)
    loss = client.open(folder / "loss.py")
    client.codes(loss, until="KD101")
    helper = client.open(folder / "helper.py")
    client.change(helper, 2, HELPER.format("log_softmax"))
    client.codes(loss, until="")
    client.change(helper, 3, HELPER.format("softmax"))
    client.codes(loss, until="KD101")
