"""Whatever the file, the shell says something about it and goes on."""

import itertools
import sysconfig
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.check.support import fake_context

from didact.check.files.document import is_python
from didact.check.files.opening import open_document
from didact.check.files.source import UnreadableError, decode
from didact.check.running.analysis import CheckContext, engine, engine_for_text, findings_in
from didact.check.running.fix import SAFE_AND_UNSAFE, fix_document

SECONDS = 4
SMALL = fake_context()
WHOLE = CheckContext(engine(), engine_for_text())
quick = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def survives(data: bytes, path: str, context: CheckContext) -> None:
    try:
        text, encoding = decode(data, python=is_python(path))
        document = open_document(path, text)
    except UnreadableError:
        return
    for finding in findings_in(document, path, context):
        assert finding.code != "KD003", finding.message.en
        cell, placed = document.locate(finding)
        assert placed.span.line >= 1
        assert cell is None or cell >= 1
        assert isinstance(document.source_line(finding), str)
    fixed = fix_document(document, path, context, allowed=SAFE_AND_UNSAFE)
    if fixed.document.text == text:
        assert encoding.encode(text) == data or encoding.name not in ("utf-8", "iso-8859-1")


PIECES = st.sampled_from(
    ["```python\n", "```\n", "~~~", "x = bad_safe", "# noqa: KD101", "# kd: no-t2", '"""', "\\\n",
     "\n", "\r\n", "  ", "\t", "def f(:\n", "\0", "\f", "bad_unsafe", "(", ")", "%time", "!ls",
     '{"cells": [{"cell_type": "code", "source": ["x = bad_safe\\n", "%ls"]}]}', "中", "\u2028",
     "if x:", "    ", "else:", "match x:\n case 1:\n  pass", "@", "lambda: ", "f'{bad_safe}'", ";"]
)  # fmt: skip
NAMES = st.sampled_from(["a.py", "a.md", "a.ipynb", "a"])


@quick
@given(st.lists(PIECES, max_size=12).map("".join), NAMES)
def test_any_mixture_of_fragments(text, path):
    survives(text.encode(), path, SMALL)


@quick
@given(st.binary(max_size=60), NAMES)
def test_any_bytes(data, path):
    survives(data, path, SMALL)


def test_any_program():
    hypothesmith = pytest.importorskip("hypothesmith")

    @settings(quick, max_examples=8)
    @given(hypothesmith.from_grammar())
    def any_program(code):
        survives(code.encode("utf-8", "surrogatepass"), "a.py", WHOLE)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        any_program()


@pytest.mark.parametrize("folder", ["purelib", "stdlib"])
def test_files_that_others_wrote(folder):
    """A sample, for a few seconds; ``benchmarks/check_robust.py`` takes them all."""
    root = Path(sysconfig.get_paths()[folder])
    root = root / "test" if folder == "stdlib" else root
    end = time.monotonic() + SECONDS
    seen = 0
    for path in itertools.islice(root.rglob("*.py"), 0, None, 37):
        survives(path.read_bytes(), str(path), WHOLE)
        seen += 1
        if time.monotonic() > end:
            break
    if seen == 0:
        pytest.skip(f"there is no {root}")
