from pathlib import Path

import pytest

from didact._core.errors import UsageError
from didact.check.wanted.config import find_config, load_settings

KNOWN = ["KD001", "KD101", "KD102", "KD201"]


def settings(folder: Path, table: str, **options):
    file = folder / "pyproject.toml"
    file.write_text(f"[tool.didact.check]\n{table}", encoding="utf-8")
    return load_settings(file, known=KNOWN, **options)


def test_every_key_is_understood(tmp_path):
    found = settings(
        tmp_path,
        'select = ["KD1"]\nignore = ["KD102"]\nexclude = ["old"]\nlang = "zh"\n'
        '[tool.didact.check.per-file-ignores]\n"tests/**" = ["KD101"]\n',
    )
    assert found.root == tmp_path
    assert found.exclude == ("old",)
    assert found.language == "zh"
    assert found.wants("KD101", str(tmp_path / "a.py"))
    assert not found.wants("KD101", str(tmp_path / "tests/deep/a.py"))
    assert not found.wants("KD102", str(tmp_path / "a.py"))
    assert not found.wants("KD201", str(tmp_path / "a.py"))


def test_the_command_line_replaces_select_and_adds_to_the_rest(tmp_path):
    found = settings(
        tmp_path,
        'select = ["KD1"]\nignore = ["KD201"]\nexclude = ["old"]',
        select=["KD201"],
        ignore=["KD101"],
        exclude=["new"],
    )
    assert found.exclude == ("old", "new")
    assert found.wants("KD201", "a.py")
    assert not found.wants("KD102", "a.py")
    found = settings(tmp_path, 'select = ["KD1"]', ignore=["KD101"])
    assert found.wants("KD102", "a.py")
    assert not found.wants("KD101", "a.py")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("selects = []", "there is no key 'selects'; did you mean 'select'"),
        ('select = "KD101"', "select is 'KD101'; expected a list of strings"),
        ("ignore = [1]", r"ignore is \[1\]; expected a list of strings"),
        ('select = ["KD110"]', "select: no rule has the code 'KD110'; did you mean"),
        ("per-file-ignores = []", "per-file-ignores is .*expected a table"),
        ('per-file-ignores = {"a" = ["X"]}', "per-file-ignores: a: no rule has the code 'X'"),
        ('per-file-ignores = {"a" = "X"}', "per-file-ignores: a is 'X'; expected a list"),
        ('lang = "fr"', "language is 'fr'"),
        ("lang = 1", "lang is 1"),
        ('exclude = ["!"]', "exclude: '!' is no pattern as in a .gitignore"),
        ('per-file-ignores = {"!" = ["KD1"]}', "per-file-ignores: '!' is no pattern"),
        ("select = [", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path, table, message):
    with pytest.raises(UsageError, match=message) as caught:
        settings(tmp_path, table)
    assert "pyproject.toml" in str(caught.value)


def test_a_table_that_is_none_is_refused(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool]\ndidact = 3\n")
    with pytest.raises(UsageError, match="didact is 3; expected a table"):
        load_settings(file, known=KNOWN)


def test_the_nearest_file_with_the_table_is_found(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.didact.check]\n")
    inner = tmp_path / "a/b"
    inner.mkdir(parents=True)
    (tmp_path / "a/pyproject.toml").write_text("[project]\nname = 'x'\n")
    (inner / "x.py").write_text("")
    assert find_config([str(inner / "x.py")]) == tmp_path / "pyproject.toml"
    assert find_config([str(inner), str(tmp_path / "a")]) == tmp_path / "pyproject.toml"
    (inner / "pyproject.toml").write_text("[tool.didact.check]\n")
    assert find_config([str(inner)]) == inner / "pyproject.toml"


def test_without_a_file_everything_is_wanted():
    found = load_settings(None, known=KNOWN)
    assert all(found.wants(code, "a.py") for code in KNOWN)
