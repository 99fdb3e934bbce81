import io
import json
import os
import subprocess
import sys

import pytest
from tests.check.support import install_fake_engine

from didact.cli import main


class Run:
    """Calls ``didact check`` in this process, on the small engine."""

    def __init__(self, monkeypatch, capfd):
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments, stdin=b""):
        self._monkeypatch.setattr("sys.argv", ["didact", "check", *arguments])
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = self._capfd.readouterr()
        return caught.value.code or 0, out, err


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    install_fake_engine(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIDACT_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    return Run(monkeypatch, capfd)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = bad_safe, bad_unsafe\n")
    return path


def test_exit_codes(run, file, tmp_path):
    assert run("a.py")[0] == 1
    assert run("a.py", "--exit-zero")[0] == 0
    assert run("a.py", "--select", "KD2")[0] == 0
    assert run("nowhere.py") == (2, "", "error: there is no file or folder 'nowhere.py'\n")
    (tmp_path / "b.py").write_text("boom")
    code, out, _ = run("a.py", "b.py", "--exit-zero", "--format", "concise")
    assert code == 2
    assert out.startswith("a.py:1:5: KD101")
    assert "b.py:1:1: KD003" in out


def test_a_file_that_is_not_read_fails_only_when_asked_for(run, tmp_path):
    (tmp_path / "old.py").write_text("print 'x', bad_plain")
    assert run("old.py")[0] == 0
    assert run("old.py", "--select", "KD,KD002")[0] == 1
    assert "KD002" not in run("old.py", "--ignore", "KD002")[1]


def test_without_paths_the_folder_is_checked(run, file):
    code, out, _ = run("--format", "concise")
    assert code == 1
    assert out.startswith("a.py:1:5: KD101 bad_safe is bad")


def test_the_configuration_counts(run, file, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.didact.check]\nignore = ["KD101"]\nlang = "zh"\n'
    )
    out = run("--format", "concise")[1]
    assert out == (
        "a.py:1:15: KD102 bad_unsafe 不对：只有公式的 1/100\n"
        "1 个文件中有 1 个发现问题，共 1 处（警告 1）；1 处可用 --unsafe-fixes 修正。\n"
    )
    assert "KD102 bad_unsafe is bad" in run("--format", "concise", "--lang", "en")[1]
    (tmp_path / "other.toml").write_text('[tool.didact.check]\nselect = ["KD101"]\n')
    assert "KD102" not in run("--config", "other.toml")[1]
    (tmp_path / "pyproject.toml").write_text("[tool.didact.check]\nselekt = []\n")
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "did you mean 'select'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "jsn"], "there is no format 'jsn'; did you mean 'json'"),
        (["--select", "KD110"], "--select: no rule has the code 'KD110'"),
        (["--lang", "fr"], "language is 'fr'"),
        (["--write-baseline"], "--write-baseline needs the file"),
        (["--baseline", "none.json"], "there is no baseline none.json"),
        (["--config", "none.toml"], "there is no configuration file none.toml"),
        (["--statistics", "--format", "sarif"], "--statistics has no place"),
        (["--stdin-filename", "x.py"], "add - to read it"),
        (["-", "a.py"], "stands alone"),
        (["--output", "no/such/folder"], "cannot be written"),
    ],
)
def test_wrong_usage_is_one_message(run, file, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_fixing(run, file):
    code, out, _ = run("a.py", "--fix", "--format", "concise")
    assert code == 1
    assert file.read_text() == "x = good, bad_unsafe\n"
    assert "1 fixed" in out
    code, out, _ = run("a.py", "--unsafe-fixes")
    assert code == 0
    assert file.read_text() == "x = good, good\n"


def test_a_diff_is_printed_and_nothing_is_changed(run, file):
    code, out, err = run("a.py", "--diff")
    assert code == 1
    assert out == (
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = bad_safe, bad_unsafe\n+x = good, bad_unsafe\n"
    )
    assert err == "1 would be fixed\n"
    assert file.read_text() == "x = bad_safe, bad_unsafe\n"
    file.write_text("x = bad_unsafe\n")
    assert run("a.py", "--diff")[0] == 0
    assert run("a.py", "--diff", "--unsafe-fixes")[0] == 1


def test_stdin(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.didact.check.per-file-ignores]\n"tests/*" = ["KD101"]\n'
    )
    code, out, _ = run("-", "--format", "concise", stdin=b"x = bad_safe")
    assert (code, out.split(": ")[0]) == (1, "<stdin>:1:5")
    assert run("-", "--stdin-filename", "tests/a.py", stdin=b"x = bad_safe")[0] == 0
    text = b"```python\nx = bad_safe\n```\n"
    assert run("-", "--stdin-filename", "a.md", stdin=text)[0] == 1
    code, out, err = run("-", "--fix", stdin=b"x = bad_safe\r\n")
    assert (code, out.encode()) == (0, b"x = good\r\n")
    assert "1 fixed" in err
    assert run("-", "--fix", stdin=b"x = 1\n")[1] == "x = 1\n"
    assert run("-", "--diff", stdin=b"x = bad_safe\n")[1].startswith("--- a/<stdin>")


def test_a_baseline(run, file):
    code, _, err = run("a.py", "--baseline", "known.json", "--write-baseline")
    assert (code, err) == (0, "2 findings written to known.json\n")
    code, out, _ = run("a.py", "--baseline", "known.json")
    assert (code, out) == (0, "Nothing found in 1 file; 2 in the baseline.\n")
    file.write_text("import x\n\nx = bad_safe, bad_unsafe\nx = bad_plain\n")
    code, out, _ = run("a.py", "--baseline", "known.json", "--format", "concise")
    assert code == 1
    assert [line.split()[1] for line in out.splitlines()[:-1]] == ["KD201"]


def test_a_report_in_a_file(run, file, tmp_path):
    code, out, _ = run("a.py", "--format", "json", "--output", "report.json")
    assert (code, out) == (1, "")
    assert len(json.loads((tmp_path / "report.json").read_text())["findings"]) == 2


def test_statistics(run, file):
    out = run("a.py", "--statistics")[1]
    assert out.splitlines()[0] == "1  KD101  about bad_safe"


def test_help_is_quick_to_load_and_names_the_options():
    code = (
        "import sys; sys.argv = ['didact', 'check', '--help']\n"
        "from didact.cli import main\n"
        "try: main()\n"
        "finally: assert not [m for m in sys.modules if m.startswith(('didact.check', 'torch'))]\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in ("--unsafe-fixes", "--stdin-filename", "--write-baseline", "--lsp", "--lang"):
        assert option in result.stdout


def test_a_narrow_output_encoding_does_not_break(tmp_path):
    """A terminal without Chinese gets escapes, not a traceback."""
    (tmp_path / "中.py").write_text("x = 1  # noqa: KD101\n")
    command = [sys.executable, "-m", "didact", "check", "--lang", "zh", "."]
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "", "LC_ALL": "C.UTF-8"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert "KD001" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("kind", ["pipe", "nested"])
def test_a_baseline_that_cannot_be_one_is_said(kind, tmp_path, monkeypatch, capsys):
    source, file = tmp_path / "a.py", tmp_path / "baseline.json"
    source.write_text("import torch\n")
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.write_text("[" * 100_000)
    monkeypatch.setattr(sys, "argv", ["didact", "check", str(source), "--baseline", str(file)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "is not a baseline of didact check" in capsys.readouterr().err


@pytest.mark.parametrize("written", ["a.py", "link.py", "./a.py"])
def test_the_report_does_not_take_the_place_of_what_is_checked(run, tmp_path, written):
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to(source)
    for option in (("--output",), ("--write-baseline", "--baseline")):
        code, _, err = run("a.py", *option, written)
        assert (code, source.read_text()) == (2, "x = 1\n")
        assert "is checked itself" in err


def test_a_selection_of_nothing_is_refused(run):
    for nothing in ("", " , "):
        code, _, err = run("--select", nothing, ".")
        assert code == 2
        assert "--select holds no code" in err


def test_a_configuration_in_another_encoding_is_said(run, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes("[tool.didact.check]\n".encode("utf-16"))
    code, _, err = run(".")
    assert code == 2
    assert "pyproject.toml cannot be read" in err
