"""What the page is given: plain data, right in its places, in both languages."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from didact._core.errors import DataError
from didact.web import site
from didact.web.answer import NO_CELLS, NO_PYTHON, TOO_DEEP, answer
from didact.web.calls import call

PAGE = Path(site.__file__).parent / "page"
LOSS = """def kd_loss(s, t, y, T=4.0):
    hard = F.cross_entropy(F.softmax(s, dim=1), y)
    soft = w["软标签"] * F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="mean")
    return hard + soft
"""


def test_a_value_stands_where_it_says():
    found = answer(LOSS, "en")
    lines = LOSS.split("\n")
    spans = {lines[v["line"] - 1][v["start"] : v["end"]]: v["facts"] for v in found["values"]}
    assert "probabilities" in spans["F.softmax(t / T, 1)"]
    assert "temperature T" in spans["F.softmax(t / T, 1)"]
    assert "F.log_softmax(s / T, 1)" in spans  # counted in characters, not in bytes


def test_the_diff_holds_both_sides_whole():
    found = answer(LOSS, "zh")
    left = [row["left"] for row in found["diff"] if row["left"] is not None]
    right = [row["right"] for row in found["diff"] if row["right"] is not None]
    assert "\n".join(left) == "\n".join(found["code"]).strip("\n")
    assert "\n".join(right) == found["corrected"]
    assert {"same", "changed"} <= {row["kind"] for row in found["diff"]}


def test_a_text_without_code_gets_one_sentence():
    assert answer("How does distillation work?", "en") == {"error": NO_PYTHON.en}
    assert answer("你好，请问怎么做蒸馏？", "zh") == {"error": NO_PYTHON.zh}


@pytest.mark.parametrize("text", ['{"cells": [{', "[1, 2]", "null"])
def test_a_file_that_is_no_notebook_gets_one_sentence(text):
    assert answer(text, "en", "a.ipynb")["error"].startswith("The file is not a notebook: ")
    assert answer(text, "zh", "a.ipynb")["error"].startswith("该文件不是合法的 notebook：")


def test_a_notebook_without_code_is_not_called_an_empty_paste():
    text = json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Title"]}]})
    assert answer(text, "en", "a.ipynb") == {"error": NO_CELLS.en}
    assert answer(text, "zh", "a.ipynb") == {"error": NO_CELLS.zh}


def test_a_sum_too_long_to_read_is_said_without_the_interpreter_s_words():
    text = "loss = " + " + ".join(f"F.mse_loss(s{i}, t{i})" for i in range(2000))
    told = answer(text, "en")
    listed = "nested too deeply" in str(told.get("summary"))
    assert listed or told in ({"error": TOO_DEEP.en}, {"error": NO_PYTHON.en})
    assert "recursion" not in str(answer(text, "zh"))


def test_the_end_of_a_file_is_no_line():
    assert answer("\n\n" + LOSS, "en")["code"][-1].strip() == "return hard + soft"


def test_everything_is_plain_data_in_the_language_asked_for():
    for language, letters in (("en", "[a-z]"), ("zh", "[\u4e00-\u9fff]")):
        found = json.loads(call("answer", json.dumps({"text": LOSS, "language": language})))
        said = [s["text"] for s in found["statements"]] + [f["message"] for f in found["findings"]]
        assert said
        assert all(re.search(letters, text) for text in said)


def test_every_sentence_of_the_page_is_there_in_both_languages():
    texts = (PAGE / "texts.js").read_text("utf-8")
    rows = re.findall(r"^  (\w+): \{(.*?)\},?$", texts, flags=re.M | re.S)
    keys = {key for key, _ in rows}
    for key, row in rows:
        assert re.search(r"\ben: \"", row), key
        assert re.search(r"\bzh: \"[^\"]*[\u4e00-\u9fff]", row), key
    scripts = "".join((PAGE / n).read_text("utf-8") for n in ("page.js", "show.js"))
    used = set(re.findall(r"say\(\"(\w+)\"", scripts))
    used |= set(re.findall(r"data-text=\"(\w+)\"", (PAGE / "index.html").read_text("utf-8")))
    assert used - {"privacy"} <= keys


def test_no_text_of_the_user_becomes_html():
    for name in ("page.js", "show.js", "backend.js", "share.js", "worker.js"):
        text = (PAGE / name).read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.search(r"\son\w+=|style=", (PAGE / "index.html").read_text("utf-8"))


def test_the_packed_checker_runs_with_the_standard_library_alone(tmp_path):
    """As in the browser: no site-packages, from the zip file itself."""
    packed = site.packed()
    assert packed == site.packed()
    assert len(packed) < 1_300_000
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert not [name for name in names if "server" in name or "editors" in name]
    (tmp_path / "didact.zip").write_bytes(packed)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from didact.web.calls import call; "
        "print(call('answer', sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "didact.zip"),
         json.dumps({"text": LOSS, "language": "en"})],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["findings"]


def test_a_site_needs_the_package_from_npm(tmp_path):
    with pytest.raises(DataError, match=r"npm pack pyodide"):
        site.build(tmp_path / "site", tmp_path)
