"""`lambda` is a keyword and cannot be a parameter's name.

## What it does

Finds `lambda` used as a parameter, a keyword argument or a variable in text that does not parse
for that reason.

## Why is this bad

Python reserves the word: the file is a SyntaxError and nothing in it can run.

## Measured effect

SyntaxError.

## Example

```python
def loss(soft, hard, lambda):
    return lambda * soft + (1 - lambda) * hard
```

## Use instead

```python
def loss(soft, hard, lam):
    return lam * soft + (1 - lam) * hard
```

## Fix safety

Display only: `lam` or `lambda_` is usual.

## Known false alarms

None known.

## References

Python language reference, keywords.

---

`lambda` 是关键字，不能用作参数名。

## 它检查什么

在因此无法解析的代码中，检查把 `lambda` 用作参数名、关键字参数或变量名的写法。

## 为什么

Python 保留了这个词：整个文件是语法错误，一行也运行不了。

## 实测影响

SyntaxError。

## 错误示例

## 正确写法

## 修复安全性

仅提示：通常改用 `lam` 或 `lambda_`。

## 已知误报

暂无。

## 参考

Python 语言参考：关键字。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.findings.finding import Finding, Severity, Span
from didact.check.rules._rule import Found

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

CODE = "KD604"
NAME = "lambda-as-name"
SEVERITY = Severity.ERROR
TOPIC = "weights"
CATALOGUE = ("LAMBDA-NAME",)


def check(_: Analysis) -> Iterator[Found]:
    """Nothing: what parses does not have this mistake."""
    return iter(())


def check_source(source: str) -> Iterator[Finding]:
    """Find ``lambda`` where a name must stand."""
    for match in _NAME.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        column = match.start() - (source.rfind("\n", 0, match.start()) + 1)
        yield Finding(CODE, SEVERITY, Span(line, column, line, column + len("lambda")), _MESSAGE)
        return


_NAME = re.compile(r"(?<![\w.])lambda(?=\s*[,)]|\s*=[^=]|\s*:\s*float|\s*\*[^*]|\s*[-+/]\s)")
_MESSAGE = Text(
    "`lambda` is a keyword of Python and cannot be a name: this is a SyntaxError. Call it `lam`",
    "`lambda` 是 Python 关键字，不能用作名字：这是语法错误。可改名为 `lam`",
)
