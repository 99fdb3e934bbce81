import codecs
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.check.support import codes, fake_options

from didact._core import atomic
from didact._core.errors import UsageError
from didact.check import check_paths, check_source
from didact.check.running.fix import SAFE_AND_UNSAFE
from didact.check.wanted.config import Settings
from didact.check.wanted.select import Selection


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report_codes(report):
    return {result.path: [d.code for d in result.diagnostics] for result in report.results}


AWKWARD = {
    "empty.py": (b"", []),
    "null.py": (b"bad_plain\0", ["KD002"]),
    "binary.py": (bytes(range(256)) * 40 + b"bad_plain", ["KD002"]),
    "python2.py": (b"print 'x', bad_plain\n", ["KD002"]),
    "utf16.py": ("x = bad_plain".encode("utf-16"), []),  # its bytes do not hold the name
    "latin.py": (b"# coding: latin-1\nx = '\xe9', bad_plain", ["KD201"]),
    "not_utf8.py": (b"x = '\xe9', bad_plain", ["KD002"]),
    "no_such_coding.py": (b"# coding: klingon\nx = bad_plain", ["KD002"]),
    "deep.py": (b"x = bad_plain" + b" + 1" * 100_000, ["KD002"]),
    "brackets.py": (b"x = " + b"(" * 300 + b"bad_plain" + b")" * 300, ["KD002"]),
    "form_feed.py": ("x = 1\f\n'\u2028'; y = bad_plain".encode(), ["KD201"]),
    "carriage.py": (b"x = 1\ry = bad_plain\r", ["KD201"]),
    "tabs.py": (b"if 1:\n\tx\n        y, bad_plain", ["KD002", "KD201"]),
    "long_line.py": (b"x = bad_plain, '" + b"a" * 5_000_000 + b"'", ["KD201"]),
    "broken.ipynb": (b'{"cells": bad_plain', ["KD002"]),
    "boom.py": (b"boom", ["KD003"]),
    "good.py": (b"x = bad_plain", ["KD201"]),
}


def test_one_bad_file_never_stops_the_others(here):
    for name, (data, _) in AWKWARD.items():
        (here / name).write_bytes(data)
    report = check_paths(["."], fake_options())
    found = report_codes(report)
    assert found == {name: expected for name, (_, expected) in sorted(AWKWARD.items())}
    assert report.failed


def test_what_cannot_be_read_is_told(here):
    (here / "link.py").symlink_to(here / "nothing.py")
    (here / "a.py").write_text("bad_plain")
    report = check_paths(["link.py", "a.py"], fake_options())
    assert report_codes(report) == {"a.py": ["KD201"], "link.py": ["KD002"]}
    assert not check_paths(["link.py"], fake_options(selection=Selection(("KD1",)))).diagnostics


def test_an_unread_file_fails_only_where_it_is_asked_for(here):
    (here / "a.py").write_text("print 'x' bad_plain")
    report = check_paths(["a.py"], fake_options())
    assert not report.fails(unread_fails=False)
    assert report.fails(unread_fails=True)


def test_several_processes_say_the_same_as_one(here):
    for number in range(40):
        (here / f"f{number:02}.py").write_text("x = bad_plain, bad_safe\n" * (number % 3))
    alone = check_paths(["."], fake_options(jobs=1))
    assert check_paths(["."], fake_options(jobs=2)) == alone
    assert len(alone.diagnostics) == 2 * sum(n % 3 for n in range(40))


def test_a_file_without_a_name_of_interest_is_not_parsed(here):
    (here / "a.py").write_text("print 'x'\n")
    assert check_paths(["a.py"], fake_options()).diagnostics == []
    (here / "a.py").write_text("x = 1  # noqa: KD101\n")
    assert codes(check_paths(["a.py"], fake_options()).diagnostics) == ["KD001"]


def test_ignores_for_single_files(here):
    (here / "tests").mkdir()
    (here / "tests/a.py").write_text("bad_plain, bad_safe")
    (here / "b.py").write_text("bad_plain, bad_safe")
    settings = Settings(root=here, per_file_ignores={"tests": ("KD1",)})
    report = check_paths(["."], fake_options(settings=settings))
    assert report_codes(report) == {"b.py": ["KD201", "KD101"], "tests/a.py": ["KD201"]}


@pytest.mark.parametrize(
    "data",
    [
        b"x = bad_safe\r\ny = 1\r\n",
        codecs.BOM_UTF8 + "'é', bad_safe".encode(),
        "# coding: latin-1\n'é', bad_safe\n".encode("latin-1"),
        "# coding: gbk\n'中文', bad_safe # 注\n".encode("gbk"),
        b"x = bad_safe\r\ny = 1\rz = 2\n\x0c\n",
    ],
)
def test_a_fixed_file_keeps_its_bytes_otherwise(here, data):
    (here / "a.py").write_bytes(data)
    report = check_paths(["a.py"], fake_options(mode="fix"))
    assert (here / "a.py").read_bytes() == data.replace(b"bad_safe", b"good")
    assert report.fixed == 1
    assert report.diagnostics == []


def test_a_link_stays_a_link_and_the_mode_stays(here):
    (here / "inner").mkdir()
    target = here / "inner/real.py"
    target.write_text("bad_safe\n")
    target.chmod(0o751)
    (here / "a.py").symlink_to(target)
    check_paths(["a.py"], fake_options(mode="fix"))
    assert (here / "a.py").is_symlink()
    assert target.read_text() == "good\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o751
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_changes_meanwhile_is_not_overwritten(here, monkeypatch):
    file = here / "a.py"
    file.write_text("bad_safe\n")
    real = Path.read_bytes
    reads = []

    def read_bytes(path):
        reads.append(path)
        if len(reads) == 3:  # the scan, the check, and what stands there before writing
            file.write_text("bad_safe; typed = 1\n")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    report = check_paths(["a.py"], fake_options(mode="fix"))
    assert file.read_text() == "bad_safe; typed = 1\n"
    assert codes(report.diagnostics) == ["KD002"]
    assert report.fixed == 0


def test_a_diff_changes_nothing(here):
    (here / "a.py").write_bytes(b"x = 1\r\ny = bad_safe, bad_unsafe")
    report = check_paths(["a.py"], fake_options(mode="diff", safety=SAFE_AND_UNSAFE))
    assert (here / "a.py").read_bytes() == b"x = 1\r\ny = bad_safe, bad_unsafe"
    patch = report.results[0].diff
    subprocess.run(["git", "apply", "-"], input=patch.encode(), check=True, cwd=here)
    assert (here / "a.py").read_bytes() == b"x = 1\r\ny = good, good"


def test_a_text_is_checked_by_what_its_name_says():
    options = fake_options()
    assert codes(check_source("x = bad_plain", options=options)) == ["KD201"]
    assert codes(check_source("```py\nx = bad_plain\n```", "a.md", options=options)) == ["KD201"]
    assert codes(check_source("{", "a.ipynb", options=options)) == ["KD002"]
    (finding,) = check_source("x = 1\ny = bad_safe", options=options)
    assert (finding.span.line, finding.span.column) == (2, 4)


def test_the_checker_loads_nothing_that_is_heavy():
    code = (
        "import sys, didact.check, didact.cli.check; "
        "heavy = ('torch', 'numpy', 'didact.check.engine.engine', 'pygls'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout == "[]\n"


def test_a_link_out_of_the_tree_is_not_followed(here):
    outside = here / "outside"
    outside.mkdir()
    (outside / "real.py").write_text("bad_safe\n")
    inside = here / "inside"
    inside.mkdir()
    (inside / "a.py").symlink_to(outside / "real.py")
    options = fake_options(inside, mode="fix")
    report = check_paths([str(inside)], options)
    assert (outside / "real.py").read_text() == "bad_safe\n"
    assert [d.code for d in report.diagnostics] == ["KD002", "KD101"]
    assert str(outside / "real.py") in report.diagnostics[0].finding.message.en
    assert report.fixed == 0
    named = check_paths([str(inside), str(outside / "real.py")], options)
    assert (outside / "real.py").read_text() == "good\n"
    assert named.diagnostics == []


def test_a_file_with_several_names_stays_one(here):
    (here / "a.py").write_text("bad_safe\n")
    (here / "b.py").hardlink_to(here / "a.py")
    (here / "c.py").symlink_to(here / "b.py")
    report = check_paths(["."], fake_options(mode="fix"))
    assert report.diagnostics == []
    assert (here / "a.py").read_text() == (here / "b.py").read_text() == "good\n"
    assert (here / "a.py").samefile(here / "b.py")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_the_owner_stays(here):
    (here / "a.py").write_text("bad_safe\n")
    os.chown(here / "a.py", 1234, 4321)
    (here / "a.py").chmod(0o640)
    check_paths(["a.py"], fake_options(mode="fix"))
    about = (here / "a.py").stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (1234, 4321, 0o640)
    assert (here / "a.py").read_text() == "good\n"


def test_a_disk_that_fills_up_leaves_the_old_file(here, monkeypatch):
    (here / "a.py").write_text("bad_safe\n")
    (here / "b.py").hardlink_to(here / "a.py")
    real, calls = atomic.sync, []

    def sync(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError("no space left")
        real(descriptor)

    monkeypatch.setattr(atomic, "sync", sync)
    report = check_paths(["a.py"], fake_options(mode="fix"))
    assert codes(d.finding for d in report.diagnostics) == ["KD002"]
    assert (here / "a.py").read_text() == "bad_safe\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_does_not_keep_anyone_waiting(here):
    os.mkfifo(here / "pipe.py")
    (here / "folder.py").mkdir()
    report = check_paths(["pipe.py", "."], fake_options())
    assert report_codes(report) == {"pipe.py": ["KD002"]}
    assert "not a regular file" in report.diagnostics[0].finding.message.en


def test_an_empty_path_is_refused(here):
    with pytest.raises(UsageError, match="no file or folder ''"):
        check_paths([""], fake_options())


def test_a_file_that_is_read_only_is_left_and_named(here):
    (here / "real.py").write_text("bad_safe\n")
    (here / "real.py").chmod(0o444)
    (here / "a.py").symlink_to(here / "real.py")
    report = check_paths(["a.py"], fake_options(mode="fix"))
    assert (here / "real.py").read_text() == "bad_safe\n"
    (found,) = report.diagnostics
    assert found.finding.code == "KD002"
    assert "it is read-only" in str(found.finding)
