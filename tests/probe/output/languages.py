"""Whether a text exists in English and in Chinese."""

import re

from didact._core.i18n import Text

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_CODE = re.compile(r"`[^`]*`|'[^']*'|\b[\w.]*[._(=\[][\w.()=,\[\] ]*")
_WORD = re.compile(r"[A-Za-z]{3,}")
_SAME = {"logits", "softmax", "sigmoid", "log", "nan", "inf", "mod"}
"""Words that are the same in both."""


def both_languages(text: Text) -> bool:
    """English without Chinese, Chinese with Chinese; a formula or number may be in both."""
    if _CHINESE.search(text.en):
        return False
    if _CHINESE.search(text.zh):
        return True
    return (
        text.en.strip() == text.zh.strip()
        and not set(_WORD.findall(_CODE.sub("", text.zh))) - _SAME
    )
