"""The pages of the laws in the documentation."""

from pathlib import Path

import pytest

from didact.probe.output.pages import page

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(("name", "language"), [("probe.md", "en"), ("probe.zh-CN.md", "zh")])
def test_the_page_in_the_documentation_is_that_of_the_laws(name, language):
    assert (DOCS / name).read_text(encoding="utf-8") == page(language)
