import json

import pytest
from tests.check.support import codes, fake_options

from didact._core.errors import UsageError
from didact.check import check_paths
from didact.check.findings.report import fingerprinted
from didact.check.wanted.baseline import without_baseline, write_baseline


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "a.py"


def check():
    return check_paths(["a.py"], fake_options())


def test_what_is_known_is_left_out_wherever_it_moves(file, tmp_path):
    file.write_text("x = bad_plain\nx = bad_plain\ny = bad_safe\n")
    assert write_baseline(check(), tmp_path / "known.json") == 3
    file.write_text("import z\n\nif z:\n    x = bad_plain\n    x = bad_plain\n    x = bad_plain\n")
    report = without_baseline(check(), tmp_path / "known.json")
    assert [d.finding.span.line for d in report.diagnostics] == [6]
    assert report.baselined == 2


def test_a_baseline_holds_for_its_path_and_its_line(file, tmp_path):
    file.write_text("x = bad_plain\n")
    write_baseline(check(), tmp_path / "known.json")
    file.write_text("z = bad_plain\n")
    assert codes(without_baseline(check(), tmp_path / "known.json").diagnostics) == ["KD201"]
    (tmp_path / "b.py").write_text("x = bad_plain\n")
    other = check_paths(["b.py"], fake_options())
    assert codes(without_baseline(other, tmp_path / "known.json").diagnostics) == ["KD201"]


def test_the_working_folder_does_not_matter(file, tmp_path, monkeypatch):
    file.write_text("x = bad_plain\n")
    write_baseline(check(), tmp_path / "known.json")
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    report = check_paths(["../a.py"], fake_options())
    assert without_baseline(report, tmp_path / "known.json").diagnostics == []


def test_a_baseline_is_readable_and_sorted(file, tmp_path):
    file.write_text("y = bad_safe\n    \nx = bad_plain  # 中\n")
    write_baseline(check(), tmp_path / "known.json")
    assert json.loads((tmp_path / "known.json").read_text(encoding="utf-8")) == {
        "schema": 1,
        "findings": [
            {"path": "a.py", "code": "KD101", "source": "y = bad_safe", "count": 1},
            {"path": "a.py", "code": "KD201", "source": "x = bad_plain  # 中", "count": 1},
        ],
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2, "findings": []}'])
def test_what_is_no_baseline_is_refused(file, tmp_path, text):
    file.write_text("bad_plain")
    (tmp_path / "known.json").write_text(text)
    with pytest.raises(UsageError, match="not a baseline"):
        without_baseline(check(), tmp_path / "known.json")


def test_a_missing_baseline_says_how_to_write_one(file, tmp_path):
    file.write_text("bad_plain")
    with pytest.raises(UsageError, match="--write-baseline"):
        without_baseline(check(), tmp_path / "known.json")
    with pytest.raises(UsageError, match="cannot be written"):
        write_baseline(check(), tmp_path / "no/such/folder.json")


def test_fingerprints_stay_when_lines_move_and_differ_from_each_other(file):
    file.write_text("x = bad_plain\nx = bad_plain\n")
    before = [fingerprint for fingerprint, _ in fingerprinted(check().diagnostics)]
    file.write_text("\n\nx = bad_plain\n\n    \nx = bad_plain\n")
    after = [fingerprint for fingerprint, _ in fingerprinted(check().diagnostics)]
    assert before == after
    assert len(set(after)) == 2
