"""A report as JSON and as JUnit XML."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree

from didact._core.i18n import Language
from didact.probe.output.report import Report

_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_of(report: Report, language: Language = "en") -> str:
    """The report as JSON."""
    return (
        json.dumps(report.to_dict(language), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )


def junit_of(report: Report, language: Language = "en") -> str:
    """One test case for each law: broken ones fail, those that do not apply are skipped."""
    count = len(report.results)
    skipped = sum(r.state == "skipped" for r in report.results)
    suite = ElementTree.Element(
        "testsuite",
        name="didact probe",
        tests=str(count),
        failures=str(len(report.broken)),
        errors="0",
        skipped=str(skipped),
        time=f"{report.seconds:.3f}",
    )
    for result in report.results:
        name = _clean(report.name)
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=result.law)
        text = _clean(result.outcome.text.pick(language))
        if result.state == "broken":
            failure = ElementTree.SubElement(case, "failure", message=text, type="law")
            failure.text = _clean(result.meaning.pick(language))
        elif result.state == "skipped":
            ElementTree.SubElement(case, "skipped", message=text)
        else:
            ElementTree.SubElement(case, "system-out").text = text
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    ElementTree.indent(whole)
    body = ElementTree.tostring(whole, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
