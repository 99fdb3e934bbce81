"""The page: self-contained, whole, escaped, and honest about what is missing."""

import copy
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib import rc_context
from tests.report.support import (
    COMMAND,
    full_run,
    make_disagreements,
    make_result,
    make_rows,
    write_run,
)

from didact._core.errors import RunFolderError
from didact.report import render

VOID = {"meta", "img", "br", "line", "hr", "link", "input"}
VARIABLES = re.compile(r"var\(--([a-z]+)\)")


class Page(HTMLParser):
    """Elements, text and ids; an element that is closed out of turn fails the test."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(folder: Path) -> tuple[str, Page]:
    path = render(folder)
    assert path == folder / "report.html"
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page]:
    return page_of(full_run(tmp_path_factory.mktemp("five") / "run"))


def test_everything_is_on_the_page(five):
    text, page = five
    words = " ".join(page.words.split())
    assert "The distilled student is 4.67 points above the student alone." in words
    assert "paired t-test, 5 seeds" in words
    for part in (
        "Student distilled", "Parameters", "608 kB", "1.84 ms", "Calibration error",
        "Neg. log-likelihood", "Brier", "KL from the teacher", "97.89 ± 0.83", "< 0.001",
        "Learning curves", "Seed by seed", "disagree", COMMAND.format(seeds=5), "kd_weight = 0.9",
        "2.13.0+cpu", "x86_64", "0, 1, 2, 3, 4", "3.1e-06",
    ):  # fmt: skip
        assert part in words, part
    assert len(page.all("img")) == 11
    assert len([svg for svg in page.all("svg") if svg.get("role") == "img"]) == 6
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_it_needs_no_network_and_no_script(five):
    text, page = five
    assert not page.all("script")
    assert not page.all("link")
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/png;base64,")), value
    assert "@import" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert set(re.findall(r"https?://[^\"\s<]*", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_it_can_be_read_without_seeing_it(five):
    _, page = five
    assert page.all("html")[0]["lang"] == "en"
    assert all(image["alt"] for image in page.all("img"))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or len(svg.get("aria-label") or "") > 30
    assert len(page.all("h1")) == 1
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("href", "aria-labelledby", "aria-describedby"):
            if name in attributes:
                assert attributes[name].removeprefix("#") in ids
        for name in ("clip-path",):
            if name in attributes:
                assert attributes[name].removeprefix("url(#").removesuffix(")") in ids


def test_every_colour_follows_light_and_dark(five):
    text, _ = five
    figures = "".join(re.findall(r"<figure>.*?</figure>", text, flags=re.DOTALL))
    assert not re.findall(r"(?:stroke|fill): ?#[0-9a-f]{6}", figures)
    style = text[text.index("<style>") : text.index("</style>")]
    light, dark, printed = (
        set(re.findall(r"--([a-z]+):", block))
        for block in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    )
    used = set(VARIABLES.findall(text))
    assert used <= light
    assert used - {"sans", "mono"} <= dark
    assert used - {"sans", "mono"} <= printed


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_the_contrast_of_wcag_aa(five):
    text, _ = five
    for block in re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)[:2]:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))
        paper = luminance(colours["paper"])
        for name in ("ink", "muted", "teacher", "alone", "distilled", "good", "bad", "unsure"):
            one, other = sorted((luminance(colours[name]), paper))
            assert (other + 0.05) / (one + 0.05) >= 4.5, name


EVIL = "<script>alert('x')</script>\"&"


def test_what_the_user_names_is_escaped(tmp_path: Path):
    result = make_result(teachers=2)
    result["data"]["class_names"] = [EVIL] * 10
    result["data"]["name"] = EVIL
    result["command"] = f"didact distill --data {EVIL}"
    result["models"]["student"]["name"] = EVIL
    result["models"]["teacher"][0]["name"] = EVIL
    result["loss"] = {"names": [EVIL], EVIL: EVIL}
    result["versions"] = {EVIL: EVIL}
    result["hardware"] = {EVIL: EVIL}
    result["started"] = result["epoch_chosen_by"] = result["didact"] = EVIL
    rows = [{**row, "arm": EVIL} for row in make_rows(seeds=1, epochs=1)]
    disagreements = make_disagreements()
    disagreements[0]["png"] = '"><script>alert(1)</script>'
    disagreements[1]["label"] = EVIL
    folder = write_run(
        tmp_path / "<b>run",
        result,
        rows=rows,
        disagreements=disagreements,
        configuration=f'name = "{EVIL}"',
    )
    text, page = page_of(folder)
    assert "<script" not in text
    assert "<b>" not in text
    assert not page.all("script")
    assert EVIL in page.words
    assert len(page.all("img")) == 10  # the one that is no image is left out
    assert "no image" in page.words


@pytest.mark.parametrize(
    ("seeds", "gain", "says", "style"),
    [
        (5, -0.006, "No difference shown: distilled minus alone is", "unclear"),
        (5, -0.03, "points below the student alone.", "worse"),
        (1, None, "but one seed gives no interval.", "unclear"),
    ],
)
def test_the_verdict_is_honest(tmp_path: Path, seeds, gain, says, style):
    result = make_result(seeds=seeds, gain=gain)
    _, page = page_of(write_run(tmp_path, result))
    assert says in page.words
    assert f"verdict {style}" in [div.get("class") for div in page.all("div")]
    assert ("95% interval" in page.words) == (seeds > 1)


def test_equal_differences_are_no_certainty(tmp_path: Path):
    result = make_result()
    result["arms"]["distilled"] = copy.deepcopy(result["arms"]["alone"])
    _, page = page_of(write_run(tmp_path, result))
    assert "have the same test accuracy" in page.words
    assert "all 5 seeds gave the same difference" in page.words


def test_an_unfinished_run_says_so(tmp_path: Path):
    _, page = page_of(write_run(tmp_path, rows=make_rows(seeds=2, epochs=3)[:11]))
    assert "This run is not finished." in page.words
    assert "No test results yet." in page.words
    assert "Learning curves" in page.words


def test_a_run_with_some_seeds_done_pairs_those(tmp_path: Path):
    result = make_result()
    result["complete"] = False
    for metric in result["arms"]["distilled"]:
        result["arms"]["distilled"][metric] = result["arms"]["distilled"][metric][:3]
    _, page = page_of(write_run(tmp_path, result))
    assert "paired t-test, 3 seeds" in page.words
    assert "This run is not finished." in page.words


def test_what_the_student_keeps_is_of_the_same_seeds(tmp_path: Path):
    """The teachers of the seeds that no student has yet are left out."""
    result = make_result()
    result["complete"] = False
    result["arms"]["teacher"]["test_accuracy"] = [0.8, 0.9, 0.1, 0.1, 0.1]
    for values in (result["arms"]["distilled"], result["arms"]["alone"]):
        for metric in values:
            values[metric] = values[metric][:2]
    result["arms"]["distilled"]["test_accuracy"] = [0.6, 0.76]
    _, page = page_of(write_run(tmp_path, result))
    assert "It keeps 80.0% of the teacher's accuracy with 0.8% of its parameters" in page.words


def test_a_run_without_extras(tmp_path: Path):
    result = make_result()
    for key in ("models", "reliability", "onnx", "versions", "hardware", "loss", "command"):
        del result[key]
    del result["arms"]["teacher"]
    result["arms"] = {
        arm: {"test_accuracy": values["test_accuracy"]} for arm, values in result["arms"].items()
    }
    _, page = page_of(write_run(tmp_path, result, configuration=""))
    assert "Test accuracy, %" in page.words
    for absent in ("Learning curves", "disagree", "run.toml", "Parameters", "confidence be"):
        assert absent not in page.words


def test_a_student_alone_is_no_comparison(tmp_path: Path):
    result = make_result()
    del result["arms"]["distilled"], result["arms"]["teacher"]
    _, page = page_of(write_run(tmp_path, result))
    assert "there is no distilled student to compare it with" in page.words
    assert "Seed by seed" not in page.words


def test_a_teacher_alone_is_said_to_be_one(tmp_path: Path):
    result = make_result()
    del result["arms"]["distilled"], result["arms"]["alone"]
    _, page = page_of(write_run(tmp_path, result))
    assert "The teacher reaches 97.89%; no student was trained." in page.words


def test_several_teachers_cost_their_sum(tmp_path: Path):
    rows = [
        {**row, "arm": f"teacher-{number}", "validation_accuracy": 0.5 + number / 10}
        for row in make_rows(seeds=2, epochs=3)
        if row["arm"] == "teacher"
        for number in (1, 2)
    ]
    _, page = page_of(write_run(tmp_path, make_result(teachers=2), rows=rows))
    alts = " ".join(svg.get("aria-label") or "" for svg in page.all("svg"))
    assert "At the last epoch: teacher 65.00." in alts
    assert "302,612" in page.words
    assert "The teacher is 2 networks" in page.words
    assert "cnn-64, 151,306 parameters" in page.words


def test_the_same_run_gives_the_same_page_whatever_the_users_plots_look_like(tmp_path: Path):
    folder = full_run(tmp_path / "run", seeds=2)
    first = render(folder).read_bytes()
    with rc_context({"text.usetex": True, "axes.facecolor": "lime", "lines.linewidth": 9}):
        assert render(folder).read_bytes() == first
    assert not list(folder.glob(".report*"))


def test_a_page_that_cannot_be_written_costs_nothing(tmp_path: Path, monkeypatch):
    folder = write_run(tmp_path, make_result(seeds=1))
    before = render(folder).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunFolderError, match="No space left"):
        render(folder)
    assert (folder / "report.html").read_bytes() == before
    assert not list(folder.glob(".report*"))
