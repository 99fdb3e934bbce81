"""From a string to the object it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from didact._core.errors import MissingDependencyError, UnknownNameError, UsageError
from didact._core.i18n import Text, choose_language
from didact._core.lookup import choose, is_import_path, load, suggest
from didact._core.optional import require


def test_a_file_is_imported_once_and_its_attribute_found(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("class Outer:\n    inner = 3\ncount = []\ncount.append(1)\n")
    assert load(f"{file}:Outer.inner") == 3
    first, second = load(f"{file}:count"), load(f"{file}:count")
    assert first is second
    assert first == [1]


def test_a_module_attribute_is_found() -> None:
    assert load("json:dumps")([1]) == "[1]"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("nofile.py:loss", "no file nofile.py"),
        ("no_such_module_at_all:x", "importing no_such_module_at_all failed"),
        ("json:dumpz", "did you mean"),
        ("json", "expected pkg.mod:Name or file.py:Name"),
        ("a b:c", "expected pkg.mod:Name"),
    ],
)
def test_what_cannot_be_found_says_why(spec: str, word: str) -> None:
    with pytest.raises(UnknownNameError, match=word):
        load(spec, what="loss")


def test_a_file_that_fails_on_import_is_named_with_its_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("import no_such_thing\n")
    with pytest.raises(UnknownNameError, match=r"broken\.py failed: ModuleNotFoundError"):
        load(f"{file}:x")
    file.write_text("x = 1\n")
    assert load(f"{file}:x") == 1  # a failed import leaves nothing behind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pkg.mod:Name", True),
        ("path/to/file.py:Name", True),
        ("npz:data/file.npz", False),
        ("folder:pictures/cats", False),
        ("kd", False),
        ("kd=0.5", False),
    ],
)
def test_what_counts_as_an_import_path(text: str, expected: bool) -> None:
    assert is_import_path(text) is expected


def test_suggestions_are_near_names_or_all_of_them() -> None:
    assert suggest("kdd", ["kd", "dist"]) == "did you mean 'kd'?"
    assert suggest("zzz", ["kd", "dist"]) == "known: dist, kd"
    assert choose("kd", {"kd": 1}, what="loss") == 1
    with pytest.raises(UnknownNameError, match="no loss is called 'dk'"):
        choose("dk", {"kd": 1}, what="loss")


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(MissingDependencyError, match=r'pip install "didact\[lsp\]"'):
        require("no_such_package_at_all", extra="lsp")


def test_a_package_that_breaks_on_import_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "halfway.py").write_text("import another_missing_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    says = "halfway needs another_missing_package, which is not installed"
    with pytest.raises(MissingDependencyError, match=says):
        require("halfway", extra="x")


def test_language_by_option_then_environment_then_english() -> None:
    assert choose_language("zh", {}) == "zh"
    assert choose_language(None, {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert choose_language(None, {"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}) == "en"
    assert choose_language(None, {"DIDACT_LANG": "en", "LANG": "zh_CN.UTF-8"}) == "en"
    with pytest.raises(UsageError, match="'fr'"):
        choose_language("fr", {})


def test_text_is_filled_in_each_language() -> None:
    text = Text("{n} losses of {what}", "{what}的 {n} 个损失")
    filled = text.format(n=2, what=Text("the student", "学生"))
    assert filled.pick("en") == "2 losses of the student"
    assert filled.pick("zh") == "学生的 2 个损失"
