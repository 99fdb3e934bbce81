"""The box over the tables of rules and of losses in the documentation, in a real browser."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path

import pytest
from tests.docs_support import DOCS, generator
from tests.web.browser import CHROMIUM, MISSING, QUIET, static_server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def as_html(markdown: str) -> str:
    """Headings of two levels, tables and raw HTML, nested in sections as the site's are."""
    body, depth = ["<section>"], 0
    for line in markdown.split("\n"):
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            body.append("</table></section>" * max(0, depth - level + 1))
            depth = level
            body.append(f"<section><h{level}>{escape(line.strip('# '))}</h{level}>")
        elif line.startswith("| --- "):
            body.append("<table>")
        elif line.startswith("| [KD"):
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in line.split(" | "))
            body.append(f"<tbody><tr>{cells}</tr></tbody>")
        elif line.startswith("<div"):
            body.append(line)
    return "\n".join(body)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("site")
    shutil.copy(DOCS / "_static/filter.js", folder)
    for language in ("en", "zh"):
        text = as_html(generator("rules").index(language))
        page = f'<meta charset="utf-8"><script defer src="filter.js"></script>{text}'
        (folder / f"{language}.html").write_text(page, encoding="utf-8")
    with static_server(folder) as address, playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium.new_page(), address
        chromium.close()


@pytest.mark.parametrize(
    ("language", "typed", "code", "other"),
    [
        ("en", "KD106", "KD106", "KD101"),
        ("en", "temperature error", "KD20", "KD101"),
        ("en", "kl-div-swapped", "KD106", "KD107"),
        ("zh", "温度", "KD20", "KD101"),
    ],
)
def test_the_box_leaves_the_rows_with_every_word(site, language, typed, code, other):
    page, address = site
    page.goto(f"{address}{language}.html")
    everything = page.locator("tr:visible").count()
    page.get_by_label("Find a rule" if language == "en" else "查找规则").fill(typed)
    shown = page.locator("tr:visible").all_inner_texts()
    assert any(code in row for row in shown)
    assert not any(other in row for row in shown)
    assert page.locator("output").inner_text() == str(len([row for row in shown if "KD" in row]))
    page.get_by_role("searchbox").fill("")
    assert page.locator("tr:visible").count() == everything


def test_a_word_that_no_row_has_leaves_nothing(site):
    page, address = site
    page.goto(f"{address}en.html")
    page.get_by_role("searchbox").fill("no such rule")
    assert page.locator("tr:visible").count() == 0
    assert page.locator("output").inner_text() == "0"
