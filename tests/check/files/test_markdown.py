import pytest
from tests.check.support import fake_context

from didact.check.files.opening import open_document
from didact.check.running.analysis import findings_in
from didact.check.running.fix import SAFE, fix_document


def places(text):
    document = open_document("x.md", text)
    found = [document.locate(f)[1] for f in findings_in(document, "x.md", fake_context())]
    return [(f.span.line, f.span.column, f.code) for f in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\n```python\nx = bad_plain\n```\n", [(4, 4, "KD201")]),
        ("~~~py\nx = bad_plain\n~~~", [(2, 4, "KD201")]),
        ("1. a\n\n   ```python\n   if x:\n       y = bad_plain\n   ```\n", [(5, 11, "KD201")]),
        ("````python\n```\nx = 1\n````\n```python\nx = bad_plain\n```", [(6, 4, "KD201")]),
        ("```{code-block} python\nx = bad_plain\n```", [(2, 4, "KD201")]),
        ("```{.python .numberLines}\nx = bad_plain\n```", [(2, 4, "KD201")]),
        ("```Python title=x\nx = bad_plain\n```", [(2, 4, "KD201")]),
        ("```python\nx = bad_plain", [(2, 4, "KD201")]),
        ("```\nx = bad_plain\n```", []),
        ("```bash\nx = bad_plain\n```", []),
        ("x = bad_plain\n`bad_plain`\n", []),
        ("```python\nprint 'x' bad_plain\n```\n```python\nx = bad_plain\n```", [(5, 4, "KD201")]),
        ("```python\r\nx = 1\r\ny = bad_plain\r\n```\r\n", [(3, 4, "KD201")]),
        ("", []),
    ],
)
def test_python_blocks_are_checked_where_they_stand(text, expected):
    assert places(text) == expected


def test_a_fix_keeps_the_indent_and_the_text_around():
    text = "- bad_safe\r\n  ```python\r\n  x = bad_safe\r\n\r\n  y = bad_safe\r\n  ```\r\nbad_safe"
    document = open_document("x.md", text)
    result = fix_document(document, "x.md", fake_context(), allowed=SAFE)
    assert result.document.text == text.replace("= bad_safe", "= good")


def test_a_fix_that_breaks_a_block_is_not_made():
    text = "```python\nx = bad_broken\n```\n"
    document = open_document("x.md", text)
    assert fix_document(document, "x.md", fake_context(), allowed=SAFE).document.text == text
