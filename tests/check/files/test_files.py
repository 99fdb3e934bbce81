from pathlib import Path

import pytest

from didact._core.errors import UsageError
from didact.check.files.finding_files import excluded, find_files


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.py", "b.ipynb", "c.md", "d.txt", "pkg/e.py", "pkg/data/f.py", ".venv/g.py",
        "pkg/__pycache__/h.py", "node_modules/i.py", "build/j.py", "K.PY",
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    return tmp_path


def files(root, *paths, exclude=()):
    return find_files(paths, exclude=exclude, root=root)


def test_a_folder_gives_its_own_python_sorted(tree):
    assert files(tree, ".") == ["K.PY", "a.py", "b.ipynb", "c.md", "pkg/data/f.py", "pkg/e.py"]


def test_what_is_named_is_always_checked_and_once(tree):
    found = files(tree, "d.txt", "build", "a.py", "./a.py", str(tree / "a.py"), exclude=["a.py"])
    assert found == ["a.py", "build/j.py", "d.txt"]


@pytest.mark.parametrize("glob", ["pkg", "pkg/", "./pkg", "pk*", "pkg/*", "pkg/**"])
def test_globs_exclude_folders_and_files(tree, glob):
    assert files(tree, ".", exclude=[glob]) == ["K.PY", "a.py", "b.ipynb", "c.md"]


def test_a_glob_with_a_slash_is_anchored_at_the_root():
    assert excluded("pkg/data/f.py", ["pkg/data"])
    assert not excluded("x/pkg/data/f.py", ["pkg/data"])
    assert excluded("x/pkg/data/f.py", ["data"])
    assert excluded("x/data/f.py", ["*/data/*"])
    assert not excluded("x/pkg/data/f.py", ["*/data/*"])
    assert excluded("x/pkg/data/f.py", ["**/data/*"])


def test_the_last_glob_that_fits_decides(tree):
    assert files(tree, ".", exclude=["*.py", "!a.py", "K.PY"]) == ["a.py", "b.ipynb", "c.md"]


def test_what_git_ignores_is_left_out_unless_it_is_named(tree):
    (tree / ".gitignore").write_text("*.ipynb\npkg/*\n!pkg/data/\nK.PY  # no comment here\n")
    (tree / "pkg/data/.gitignore").write_text("*.py\n!kept.py\n")
    (tree / "pkg/data/kept.py").write_text("")
    assert files(tree, ".") == ["K.PY", "a.py", "c.md", "pkg/data/kept.py"]
    assert files(tree, "b.ipynb", "pkg/data/f.py") == ["b.ipynb", "pkg/data/f.py"]


def test_the_repository_around_a_folder_has_a_say(tree):
    (tree / ".gitignore").write_text("generated/\n*.md\n")
    (tree / "pkg/generated").mkdir()
    (tree / "pkg/generated/i.py").write_text("")
    (tree / "pkg/j.md").write_text("")
    everything = ["pkg/data/f.py", "pkg/e.py", "pkg/generated/i.py", "pkg/j.md"]
    assert files(tree, "pkg") == everything  # no repository yet
    (tree / ".git").mkdir()
    assert files(tree, "pkg") == ["pkg/data/f.py", "pkg/e.py"]
    assert files(tree, "pkg/generated") == ["pkg/generated/i.py"]


def test_lines_that_are_no_pattern_are_passed_over(tree):
    (tree / "pkg/.gitignore").write_bytes(b"\xff\xfe\x00\n!\ne.py\n")
    assert files(tree, "pkg") == ["pkg/data/f.py"]


def test_globs_start_at_the_root_wherever_one_stands(tree, monkeypatch):
    monkeypatch.chdir(tree / "pkg")
    assert files(tree, ".", exclude=["pkg/data"]) == ["e.py"]


def test_a_loop_of_links_ends(tree):
    (tree / "pkg/loop").symlink_to(tree / "pkg", target_is_directory=True)
    (tree / "pkg/dangling.py").symlink_to(tree / "nothing.py")
    assert files(tree, "pkg") == ["pkg/data/f.py", "pkg/e.py"]


def test_a_path_that_is_not_there_is_refused(tree):
    with pytest.raises(UsageError, match=r"no file or folder 'nowhere'"):
        files(tree, "nowhere")
