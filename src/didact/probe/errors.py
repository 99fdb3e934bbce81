"""What the probe refuses, said in both languages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from didact._core.errors import UsageError, words_of
from didact._core.i18n import Text


class ProbeError(UsageError):
    """An option, loss or training step that cannot be used; ``str`` of it is English.

    Args:
        en: The message in English.
        zh: The same in Chinese.

    Attributes:
        text: The message in both languages.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)

    def __reduce__(self) -> tuple[type[ProbeError], tuple[str, str]]:
        return type(self), (self.text.en, self.text.zh)


def reason_of(error: BaseException) -> Text:
    """An error in one line: its type and its message, in both languages where it has both."""
    text = error.text if isinstance(error, ProbeError) else Text(words_of(error), words_of(error))
    name = "" if isinstance(error, ProbeError) else type(error).__name__

    def line(message: str) -> str:
        shown = " ".join(message.split())[:300].rstrip(".。")
        return ": ".join(part for part in (name, shown) if part)

    return Text(line(text.en), line(text.zh))


def nearest(name: str, known: Iterable[str]) -> Text:
    """The end of a message: the nearest known names, or all of them if none is near."""
    names = sorted(known)
    near = [repr(n) for n in difflib.get_close_matches(name, names, n=3, cutoff=0.5)]
    if near:
        return Text(f"did you mean {' or '.join(near)}?", f"是否想写 {' 或 '.join(near)}？")
    listed = ", ".join(names)
    return (
        Text(f"known: {listed}", f"可用：{listed}")
        if names
        else Text("none is known", "没有可用项")
    )
