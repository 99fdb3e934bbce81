import json
import re
from xml.etree import ElementTree as ET

import pytest
from tests.check.support import fake_options, install_fake_engine

from didact.check import check_paths
from didact.check.formats import FORMATS, Style, render
from didact.check.formats.width import width_of, window, wrap

NOTEBOOK = '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "x = bad_plain"]}]}'


@pytest.fixture(autouse=True)
def _rules(monkeypatch):
    install_fake_engine(monkeypatch)


@pytest.fixture
def report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(
        "import x\nif x:\n    损失 = bad_safe, bad_unsafe\n", encoding="utf-8"
    )
    (tmp_path / "n.ipynb").write_text(NOTEBOOK)
    (tmp_path / "odd %,:.py").write_text("x = 1, bad_shown")
    (tmp_path / "old.py").write_text("print 'x', bad_plain")
    (tmp_path / "clean.py").write_text("x = 1")
    return check_paths(["."], fake_options())


TEXT = """\
a.py:3:10: KD101 error
  bad_safe is bad: 1/100 of it
  3 | 损失 = bad_safe, bad_unsafe
    |        ^^^^^^^^
  = fix (--fix): write good

a.py:3:20: KD102 warning
  bad_unsafe is bad: 1/100 of it
  3 | 损失 = bad_safe, bad_unsafe
    |                  ^^^^^^^^^^
  = fix (--unsafe-fixes): write good

n.ipynb:cell 1:2:5: KD201 warning
  bad_plain is bad: 1/100 of it
  2 | x = bad_plain
    |     ^^^^^^^^^
"""


def test_text_shows_the_place(report):
    text = render(report, "text", Style())
    assert text.startswith(TEXT)
    assert "  = fix by hand: write good\n" in text
    assert text.endswith(
        "Found 5 problems (1 error, 3 warnings, 1 info) in 4 of 5 files; 1 fixable with\n"
        "--fix; 1 fixable with --unsafe-fixes.\n"
        "didact explain a.py goes through the code line by line; didact explain KD101 is\n"
        "the rule's page.\n"
    )


def test_text_in_chinese(report):
    text = render(report, "text", Style(language="zh"))
    assert "a.py:3:10: KD101 错误\n  bad_safe 不对：只有公式的 1/100\n" in text
    assert "  = 修正（--fix）：改写为 good\n" in text
    assert "5 个文件中有 4 个发现问题，共 5 处（错误 1、警告 3、提示 1）" in text


def test_colour_is_only_paint(report):
    painted = render(report, "text", Style(colour=True))
    assert "\x1b[31m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render(report, "text", Style())


def test_nothing_found_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("x = 1")
    report = check_paths(["."], fake_options())
    assert render(report, "text", Style()) == "Nothing found in 1 file.\n"
    assert render(report, "concise", Style(language="zh")) == "检查了 1 个文件，没有发现问题。\n"
    assert render(report, "github", Style()) == ""
    assert json.loads(render(report, "gitlab", Style())) == []
    assert json.loads(render(report, "json", Style()))["findings"] == []
    assert json.loads(render(report, "sarif", Style()))["runs"][0]["results"] == []


def test_concise_is_one_line_each(report):
    lines = render(report, "concise", Style()).splitlines()
    assert lines[0] == "a.py:3:10: KD101 bad_safe is bad: 1/100 of it"
    assert len(lines) == 6


def test_statistics_count_by_code(report):
    lines = render(report, "concise", Style(statistics=True)).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("1  KD002  A file or cell")


def test_json_holds_everything(report):
    data = json.loads(render(report, "json", Style()))
    first = data["findings"][0]
    assert first["fix"]["edits"] == [
        {"line": 3, "column": 10, "end_line": 3, "end_column": 18, "text": "good"}
    ]
    assert (first["path"], first["line"], first["column"], first["end_column"]) == (
        "a.py",
        3,
        10,
        18,
    )
    assert first["source"] == "    损失 = bad_safe, bad_unsafe"
    assert [f["cell"] for f in data["findings"]] == [None, None, 1, None, None]
    assert data["summary"] == {
        "files": 5, "findings": 5, "error": 1, "warning": 3, "info": 1, "fixed": 0, "baselined": 0,
    }  # fmt: skip


def test_github_escapes_what_it_must(report):
    lines = render(report, "github", Style()).splitlines()
    assert lines[0] == (
        "::error title=didact KD101,file=a.py,line=3,endLine=3,col=10,endColumn=18"
        "::a.py:3:10: KD101 bad_safe is bad: 1/100 of it"
    )
    assert "file=odd %25%2C%3A.py,line=1" in lines[3]
    assert "::odd %25,:.py:1:8: KD103" in lines[3]
    assert lines[2].startswith("::warning title=didact KD201,file=n.ipynb::n.ipynb:cell 1:2:5:")


def test_gitlab_has_what_the_service_asks_for(report):
    rows = json.loads(render(report, "gitlab", Style()))
    assert {row["severity"] for row in rows} == {"critical", "major", "info"}
    assert rows[0]["location"] == {"path": "a.py", "lines": {"begin": 3, "end": 3}}
    assert len({row["fingerprint"] for row in rows}) == 5


def test_junit_is_one_case_for_each_file(report):
    root = ET.fromstring(render(report, "junit", Style()).encode())
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == 5
    assert root.get("failures") == "3"
    assert cases["clean.py"].find("failure") is None
    assert cases["old.py"].find("failure") is None
    assert cases["old.py"].find("system-out") is not None
    assert "a.py:3:20: warning KD102" in cases["a.py"].find("failure").text


def test_junit_survives_what_xml_forbids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a\x01<&.py").write_text("bad_plain")
    text = render(check_paths(["."], fake_options()), "junit", Style())
    assert ET.fromstring(text.encode()).find(".//failure") is not None


SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "version", "rules"],
                                "properties": {
                                    "rules": {"type": "array", "items": {"required": ["id"]}}
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
                "additionalProperties": False,
            },
        },
    },
    "$defs": {
        "region": {
            "type": "object",
            "required": ["startLine"],
            "additionalProperties": False,
            "properties": {
                name: {"type": "integer", "minimum": 1}
                for name in ("startLine", "startColumn", "endLine", "endColumn")
            },
        },
        "artifact": {
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "pattern": r"^[\w./%-]+$"}},
        },
        "location": {
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation", "region"],
                    "properties": {
                        "artifactLocation": {"$ref": "#/$defs/artifact"},
                        "region": {"$ref": "#/$defs/region"},
                    },
                }
            },
        },
        "fix": {
            "required": ["description", "artifactChanges"],
            "properties": {
                "artifactChanges": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "required": ["artifactLocation", "replacements"],
                        "properties": {
                            "replacements": {
                                "minItems": 1,
                                "items": {
                                    "required": ["deletedRegion"],
                                    "properties": {
                                        "deletedRegion": {"$ref": "#/$defs/region"},
                                        "insertedContent": {"required": ["text"]},
                                    },
                                },
                            }
                        },
                    },
                }
            },
        },
        "result": {
            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
            "properties": {
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": {"required": ["text"]},
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
                "fixes": {"type": "array", "items": {"$ref": "#/$defs/fix"}},
                "partialFingerprints": {"additionalProperties": {"type": "string"}},
            },
        },
    },
}


def test_sarif_has_the_form_of_the_standard(report):
    jsonschema = pytest.importorskip("jsonschema")
    data = json.loads(render(report, "sarif", Style()))
    jsonschema.validate(data, SARIF)
    run = data["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(rule["help"]["text"] for rule in rules if rule["id"] == "KD002")
    assert len(run["results"][0]["fixes"]) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_same_each_time(report, name):
    assert render(report, name, Style()) == render(report, name, Style())
    assert render(report, name, Style()).endswith("\n")


def test_chinese_is_wrapped_between_letters_but_not_before_a_stop():
    lines = wrap("蒸馏项的目标是对数概率，而 kl_div 要的是概率。" * 3, 20)
    assert all(width_of(line) <= 22 for line in lines)
    assert not any(line[0] in "，。" for line in lines)
    assert "".join(lines).replace(" ", "") == ("蒸馏项的目标是对数概率，而kl_div要的是概率。" * 3)


def test_words_are_wrapped_whole():
    assert wrap("one two three", 9) == ["one two", "three"]
    assert wrap("a\n\nb", 9) == ["a", "", "b"]
    assert wrap("", 9) == [""]
    assert wrap("incomprehensibilities x", 5) == ["incomprehensibilities", "x"]


@pytest.mark.parametrize("column", [0, 5, 300, 598])
def test_a_long_line_is_cut_around_the_place(column):
    line = "损失a" * 200
    shown, offset, length = window(line, column, column + 2, 60)
    assert width_of(shown) <= 60
    place = line[column : column + 2]
    assert width_of(shown[: shown.index("…") + 1]) <= 60
    cut = next(n for n in range(len(shown) + 1) if width_of(shown[:n]) == offset)
    assert shown[cut : cut + 2] == place
    assert length == width_of(place)


def test_a_line_of_source_cannot_steer_the_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("x = '\x1b[2J', bad_plain")
    assert "\x1b" not in render(check_paths(["."], fake_options()), "text", Style())
