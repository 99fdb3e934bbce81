import json

import pytest
from tests.check.support import codes, fake_context

from didact.check.files.opening import open_document
from didact.check.files.source import UnreadableError
from didact.check.running.analysis import findings_in
from didact.check.running.fix import SAFE, fix_document


def notebook(*sources, **metadata):
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": s} for s in sources]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def opened(content, **layout):
    text = content if isinstance(content, str) else json.dumps(content, **layout)
    return open_document("x.ipynb", text)


def places(document):
    found = [document.locate(f) for f in findings_in(document, "x.ipynb", fake_context())]
    return [(cell, f.span.line, f.span.column, f.code) for cell, f in found]


def test_positions_are_cell_and_line():
    content = notebook(["import x\n", "y = 1"], [], "a = 1\nb = bad_plain\n")
    content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": ["bad_safe"]})
    document = opened(content)
    assert places(document) == [(4, 2, 4, "KD201")]
    (finding,) = findings_in(document, "x.ipynb", fake_context())
    assert document.source_line(finding) == "b = bad_plain"


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\nx = bad_plain",
        "!pip install x \\\n  --quiet\nx = bad_plain",
        "%%time\nx = bad_plain",
        "if x:\n    !ls\nx = bad_plain",
        "files = !ls\nx = bad_plain",
        "x?\nx = bad_plain",
        "?x\nx = bad_plain",
        "x = ('%d'\n     % 3, bad_plain)",
        "await f()\nx = bad_plain",
    ],
)
def test_magics_are_passed_over(cell):
    assert [row[3] for row in places(opened(notebook(cell)))] == ["KD201"]


def test_a_cell_in_another_language_is_passed_over():
    assert places(opened(notebook("%%bash\necho bad_plain", "x = bad_plain"))) == [
        (2, 1, 4, "KD201")
    ]
    assert places(opened(notebook("x = bad_plain", kernelspec={"language": "R"}))) == []


def test_a_cell_that_is_no_python_is_told_and_the_others_are_checked():
    found = places(opened(notebook("x = bad_plain", "y = 1\nprint 'x'", "z = bad_plain")))
    assert found == [(1, 1, 4, "KD201"), (2, 2, 0, "KD002"), (3, 1, 4, "KD201")]


LAYOUTS = [
    {"indent": 1},
    {"indent": 2, "ensure_ascii": False},
    {"separators": (",", ":")},
    {},
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "source", [["# é 中\n", "x = bad_safe\n", "y = 1"], "# é\nx = bad_safe\ny=1"]
)
def test_a_fix_changes_nothing_but_its_line(layout, source):
    text = json.dumps(notebook("a = 1", source, ["b"]), **layout) + "\n"
    result = fix_document(opened(text), "x.ipynb", fake_context(), allowed=SAFE)
    assert result.document.text == text.replace("bad_safe", "good")
    assert codes(result.findings) == []


def test_magics_survive_a_fix():
    text = json.dumps(notebook(["%time\n", "x = bad_safe\n", "!ls"]), indent=1)
    result = fix_document(opened(text), "x.ipynb", fake_context(), allowed=SAFE)
    assert result.document.text == text.replace("bad_safe", "good")


def test_a_comment_that_is_all_of_a_line_goes_with_its_line():
    text = json.dumps(notebook(["x = 1\n", "# noqa: KD101\n", "y = 2"]), indent=1)
    result = fix_document(opened(text), "x.ipynb", fake_context(), allowed=SAFE)
    assert json.loads(result.document.text)["cells"][0]["source"] == ["x = 1\n", "y = 2"]


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', "nul", "[" * 100_000])
def test_what_is_no_notebook_is_told(text):
    with pytest.raises(UnreadableError, match="not a notebook"):
        opened(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "{}",
        '{"cells": []}',
        '{"cells": [3, {}, {"cell_type": "code"}]}',
        '{"metadata": 3}',
    ],
)
def test_an_empty_notebook_has_nothing(text):
    assert places(opened(text)) == []
