"""The page in a real browser, with both back ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.web.browser import (
    CHROMIUM,
    MISSING,
    NO_PYODIDE,
    PYODIDE,
    QUIET,
    local_server,
    static_server,
    watched,
)

from didact.web import site

SWAPPED = "loss = F.kl_div(F.softmax(t / T, dim=1), F.log_softmax(s / T, dim=1))"
HOSTILE = (
    "<script>document.title = 'taken'</script>",
    '"></style><img src=x onerror="document.title=\'taken\'">',
    "loss = F.kl_div(a, b)  # </textarea><script>document.title = 'taken'</script>",
    "x = '${alert(1)}' ; y = \"{{7*7}}\" ; z = `id`",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if MISSING:
        pytest.skip(MISSING)
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    with local_server() as address:
        yield address


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if NO_PYODIDE:
        pytest.skip(NO_PYODIDE)
    folder = tmp_path_factory.mktemp("site")
    site.build(folder, PYODIDE)
    with static_server(folder) as address:
        yield f"{address}index.html"


@pytest.fixture(params=["local", "static"])
def address(request: pytest.FixtureRequest, browser: Any) -> str:
    return str(request.getfixturevalue(request.param))


def test_the_four_examples_in_both_languages(browser, address):
    with watched(browser, address, locale="en-GB") as found:
        for title in ("What is wrong", "发现的问题"):
            for number in range(4):
                found.page.locator(".example").nth(number).click()
                found.wait()
                assert found.page.locator("#findings h2").inner_text() == title
                assert found.page.locator("#lines li").count() >= 4
                assert found.page.locator("#corrected table").count() == 1
            found.page.get_by_role("button", name="中文").click()
            found.page.locator("#findings h2", has_text="发现的问题").wait_for()
        for text in HOSTILE:
            before = found.page.title()
            found.page.locator("#paste").fill(text)
            found.page.locator("#explain").click()
            found.page.locator("#status:not(:text-matches('正在'))").wait_for()
            assert found.page.title() == before
            assert found.page.locator("main script, main img, main style").count() == 0


@pytest.mark.parametrize(
    ("scheme", "width", "locale"),
    [
        ("light", 360, "en-US"),
        ("dark", 1280, "en-US"),
        ("dark", 360, "zh-CN"),
        ("light", 1280, "zh-CN"),
    ],
)
def test_accessible_at_every_width_and_nothing_runs_over(browser, local, scheme, width, locale):
    options = {"locale": locale, "color_scheme": scheme, "bypass_csp": True}
    with watched(browser, local, viewport={"width": width, "height": 800}, **options) as found:
        assert found.axe() == []
        found.page.locator(".example").nth(2).click()
        found.wait()
        assert found.axe() == []
        over = found.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0
        found.page.locator("#findings .finding .code").first.click()
        found.page.locator("#rule[open]").wait_for()
        assert found.axe() == []


def test_by_keyboard_alone(browser, local):
    with watched(browser, local, locale="en-US") as found:
        page = found.page
        page.locator("#paste").focus()
        page.keyboard.insert_text(SWAPPED)
        page.keyboard.press("Control+Enter")
        found.wait()
        assert page.evaluate("document.activeElement.id") == "result"
        seen = []
        for _ in range(12):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.className"))
            if seen[-1] == "code":
                break
        assert "code" in seen, seen
        page.keyboard.press("Enter")
        page.locator("#rule[open]").wait_for()
        assert re.match(r"KD\d{3}", page.locator("#rule-title").inner_text())
        page.keyboard.press("Escape")
        assert page.locator("#rule[open]").count() == 0
        assert page.evaluate("document.activeElement.className") == "code"


def test_a_finding_leads_to_its_line_and_its_mark_to_the_rule(browser, local):
    with watched(browser, local, locale="en-GB") as found:
        found.explain("import torch\n\n" + SWAPPED)
        listed = found.page.locator("#findings .finding").first
        listed.get_by_role("button", name="line 3").click()
        assert found.page.evaluate("document.activeElement.id") == "line-3"
        row = found.page.locator("#line-3")
        row.locator(".finding .code").first.click()
        rule = found.page.locator("#rule-body")
        rule.locator("code").first.wait_for()
        assert "`" not in rule.locator("p").first.inner_text()
        assert found.page.locator("#lines .finding p").count() == 0  # said once, in the list


def test_a_value_says_what_it_is(browser, local):
    with watched(browser, local, locale="en-US") as found:
        found.page.locator(".example").nth(2).click()
        found.wait()
        value = found.page.locator("#lines .value", has_text="teacher_logits").last
        value.focus()
        tip = value.locator(".tip")
        assert tip.is_visible()
        assert "the teacher's" in tip.inner_text()


def test_on_a_phone_what_a_value_is_stays_within_the_screen(browser, local):
    size = {"width": 360, "height": 800}
    with watched(browser, local, locale="zh-CN", viewport=size) as found:
        found.page.locator(".example").nth(2).click()
        found.wait()
        values = found.page.locator("#lines .value")
        for number in range(values.count()):
            values.nth(number).focus()
            box = values.nth(number).locator(".tip").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]


def test_the_language_can_be_switched(browser, local):
    with watched(browser, local, locale="en-US") as found:
        found.explain(SWAPPED)
        found.page.get_by_role("button", name="中文").click()
        found.page.locator("#findings h2", has_text="发现的问题").wait_for()
        assert found.page.evaluate("document.documentElement.lang") == "zh-CN"


def test_a_link_holds_the_text_and_no_server_sees_it(browser, local):
    text = f"# 中文 😀\n{SWAPPED}"
    with watched(browser, local, locale="zh-CN") as found:
        found.page.locator("#paste").fill(text)
        found.page.locator("#share").click()
        found.page.wait_for_url("**#zh.*")
        link = found.page.url
    with watched(browser, local, locale="en-US") as found:
        asked = []
        found.page.on("request", lambda one: asked.append(one.url))
        found.page.goto("about:blank")
        found.page.goto(link)
        found.wait()
        assert found.page.locator("#paste").input_value() == text
        assert found.page.evaluate("document.documentElement.lang") == "zh-CN"
        packed = link.partition("#")[2]
        assert all(packed not in url.partition("#")[0] for url in asked)
        found.page.goto("about:blank")
        found.page.goto(f"{local}#en.%%%")
        found.page.locator("#status", has_text="damaged").wait_for()


def test_large_and_deep_texts_end_in_an_answer(browser, local):
    with watched(browser, local, locale="en-US") as found:
        for text in ("(" * 100_000, "x = 1\n" * 1_000, "\x00\x01\x02" * 1000):
            found.page.evaluate("text => { document.querySelector('#paste').value = text; }", text)
            found.page.locator("#explain").click()
            found.page.locator("#status:not(:text-matches('Reading'))").wait_for(timeout=60_000)
        found.explain(SWAPPED)  # and the next paste is explained as ever


def test_files_and_download(browser, local, tmp_path: Path):
    (tmp_path / "a.py").write_bytes(f"# 教师与学生\n{SWAPPED}\n".encode("gb18030"))
    (tmp_path / "b.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": ["loss = F.kl_div(p, q)\\n"], "metadata": {},'
        ' "outputs": [], "execution_count": null}], "metadata": {}, "nbformat": 4,'
        ' "nbformat_minor": 5}'
    )
    (tmp_path / "c.py").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "d.py").write_bytes(b"#" * 1_000_001)
    with watched(browser, local, locale="en-US", accept_downloads=True) as found:
        found.page.locator("#file").set_input_files(tmp_path / "a.py")
        found.wait()
        assert "教师与学生" in found.page.locator("#paste").input_value()
        with found.page.expect_download() as download:
            found.page.locator("#download").click()
        assert "kl_div" in Path(download.value.path()).read_text("utf-8")
        found.page.locator("#file").set_input_files(tmp_path / "b.ipynb")
        found.page.locator("#lines pre", has_text="F.kl_div(p, q)").wait_for()
        found.page.locator("#file").set_input_files(tmp_path / "c.py")
        found.page.locator("#status", has_text="not text").wait_for()
        found.page.locator("#file").set_input_files(tmp_path / "d.py")
        found.page.locator("#status", has_text="1,000,001 bytes").wait_for()


def test_the_corrected_code_can_be_copied_and_seen_both_ways(browser, local):
    options = {"permissions": ["clipboard-read", "clipboard-write"], "locale": "en-US"}
    with watched(browser, local, viewport={"width": 1280, "height": 800}, **options) as found:
        found.page.locator(".example").nth(2).click()
        found.wait()
        assert found.page.locator("#corrected thead th").count() == 2
        found.page.get_by_role("button", name="In one column").click()
        assert found.page.locator("#corrected thead th").count() == 1
        found.page.locator("#corrected").get_by_role("button", name="Copy").click()
        found.page.locator("#corrected button", has_text="Copied").wait_for()
        copied = found.page.evaluate("navigator.clipboard.readText()")
        assert "F.log_softmax(student_logits / T, dim=1)" in copied


def test_a_server_that_has_ended_is_said_so(browser):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with local_server() as address:
        page.goto(address)
    page.locator("#paste").fill(SWAPPED)
    page.locator("#explain").click()
    page.locator("#status", has_text="not running any more").wait_for()
    context.close()


def test_no_answer_leaves_no_other_answer_behind(browser, address):
    with watched(browser, address, locale="en-GB") as found:
        found.explain(SWAPPED)
        errors = found.page.locator("#findings li .finding.error").count()
        said = found.page.locator("#status").inner_text()
        assert said.startswith(f"Explained: {errors} error{'' if errors == 1 else 's'}, ")
        found.page.locator("#paste").fill("((")
        found.page.locator("#explain").click()
        found.page.locator("#status", has_text="No Python code").wait_for()
        assert found.page.locator("#result").is_hidden()
        assert found.page.locator("#download").is_disabled()
        found.page.get_by_role("button", name="中文").click()
        found.page.locator("#status", has_text="没有找到 Python").wait_for()
        found.explain(SWAPPED)
        assert found.page.locator("#result").is_visible()


def test_a_dropped_file_is_opened(browser, local):
    with watched(browser, local, locale="en-GB") as found:
        taken = found.page.evaluate(
            """() => {
                const data = new DataTransfer();
                data.items.add(new File(["loss = F.mse_loss(s, t)"], "a.py"));
                const drop = { dataTransfer: data, bubbles: true, cancelable: true };
                const seen = (kind) => {
                    const event = new DragEvent(kind, drop);
                    document.querySelector("h1").dispatchEvent(event);
                    return event.defaultPrevented;
                };
                return [seen("dragover"), seen("drop")];
            }"""
        )
        found.wait()
        assert taken == [True, True]
        assert found.page.locator("#paste").input_value() == "loss = F.mse_loss(s, t)"


def test_without_javascript_the_page_says_so(browser, local):
    with watched(browser, local, java_script_enabled=False) as found:
        assert "needs JavaScript" in found.page.locator("main").inner_text()
        assert "需要 JavaScript" in found.page.locator("main").inner_text()


def test_a_long_name_widens_no_page(browser, local):
    with watched(browser, local, locale="en-GB") as found:
        found.explain(f"loss = F.mse_loss({'s' * 3000}, t)")
        wide = found.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]


def test_the_static_page_outlives_a_paste_that_ends_its_worker(browser, static):
    with watched(browser, static, locale="en-GB") as found:
        found.explain(SWAPPED)
        found.page.evaluate(
            "() => { document.querySelector('#paste').value = '('.repeat(100000); }"
        )
        found.page.locator("#explain").click()
        found.page.locator("#status:not(:text-matches('Reading|Starting'))").wait_for(
            timeout=60_000
        )
        found.explain(SWAPPED)
        assert found.page.locator("#result").is_visible()
        found.trouble.clear()  # Pyodide says in the console what it died of
