"""JUnit XML: one test case for each file."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from didact.check.findings.meta import NOT_PARSED
from didact.check.findings.report import FileResult, Report
from didact.check.formats import Style

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, style: Style) -> str:
    """The report as XML; a file in which something was found is a failed case."""
    failures = sum(_fails(result) for result in report.results)
    counts = {"tests": str(len(report.results)), "failures": str(failures), "errors": "0"}
    root = ET.Element("testsuites", {"name": "didact check", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": "didact check", **counts})
    for result in report.results:
        _case(suite, result, style)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _case(suite: ET.Element, result: FileResult, style: Style) -> None:
    path = _clean(result.path)
    case = ET.SubElement(suite, "testcase", {"name": path, "classname": "didact", "file": path})
    if result.diagnostics:
        lines = [
            f"{d.where}: {d.finding.severity} {d.code} {d.finding.message.pick(style.language)}"
            for d in result.diagnostics
        ]
        codes = ", ".join(sorted({d.code for d in result.diagnostics}))
        text = _clean("\n".join(lines))
        if _fails(result):
            attributes = {"type": codes, "message": _clean(lines[0])}
            ET.SubElement(case, "failure", attributes).text = text
        else:
            ET.SubElement(case, "system-out").text = text


def _fails(result: FileResult) -> bool:
    return any(diagnostic.code != NOT_PARSED for diagnostic in result.diagnostics)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
