"""The page of the losses is fresh, its examples run, and the annotations hold."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs_support import generator

from didact import losses

ROOT = Path(__file__).parents[2]


def test_the_page_is_fresh() -> None:
    pages = generator("losses")
    for name, page in (("losses.md", pages.page()), ("losses.zh-CN.md", pages.chinese_page())):
        written = (ROOT / "docs" / name).read_text("utf-8")
        assert written == page, "run python docs/generate_losses.py"


def test_every_loss_stands_once_in_the_index_by_purpose() -> None:
    for language in ("en", "zh"):
        index = generator("losses").index(language)
        for name in losses.CARDS:
            assert index.count(f"| [`{name}`]") == 1, name
        assert "||" not in index.replace("\\|\\|", ""), "a | in a formula would split its cell"


HELPERS = ("standardise_logits", "standardised", "token_maps", "next_tokens", "TopK")


@pytest.mark.parametrize("name", sorted({*losses.CARDS, *HELPERS, "fused_linear_kd"}))
def test_the_example_runs(name: str) -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    found = finder.find(getattr(losses, name), name, globs={})
    assert any(test.examples for test in found)
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


ANNOTATIONS = """
import pathlib, sys, warnings
from jaxtyping import install_import_hook
# beartype refuses to decorate a method that returns Self.
found = sorted(pathlib.Path("src/didact/losses").rglob("*.py"))
files = [p for p in found if "Self" not in p.read_text()]
names = [
    "didact.losses." + ".".join(p.relative_to("src/didact/losses").with_suffix("").parts)
    for p in files
    if p.stem != "__init__"
]
with install_import_hook(names, "beartype.beartype"):
    import didact.losses
sys.path.insert(0, ".")
warnings.simplefilter("ignore")
from tests.losses import support as losses_support
losses_support.load_registries()
for name in sorted(didact.losses.CARDS):
    losses_support.make_case(name).loss()
    if "reduction" in losses_support.parameters(didact.losses.CARDS[name]):
        losses_support.make_case(name).loss(reduction="none")
try:
    didact.losses.kd("logits", "logits")
except Exception as error:
    assert "beartype" in type(error).__module__ or "jaxtyping" in type(error).__module__, error
else:
    raise SystemExit("the annotations were not checked")
"""


def test_the_annotations_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANNOTATIONS], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["torch", "jaxtyping"])
def test_what_is_missing_is_said(module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; import didact.losses"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"{module} is not installed" in done.stderr
    assert 'pip install "didact[torch]"' in done.stderr
