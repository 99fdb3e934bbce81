"""A finished page in another language: its texts and the texts of its attributes, not its code."""

from __future__ import annotations

import re
from html import escape, unescape

from didact._core.i18n import Language
from didact._core.translate import translated

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_SAID = re.compile(r'\b(alt|title|aria-label)="([^"]*)"')
_AS_IT_IS = frozenset(("style", "pre", "code"))
_EMPTY = frozenset(("img", "meta", "line", "br", "link", "path", "use"))


def page_in_language(html: str, language: Language) -> str:
    """The page with every text of the catalogue in a language.

    What stands in code, or in an element with ``translate="no"``, is the user's and stays.
    """
    if language == "en":
        return html
    done: list[str] = []
    untouched: list[str] = []  # the open elements inside one that is not to be translated
    for part in _TAG.split(html.replace('<html lang="en">', '<html lang="zh-CN">', 1)):
        if not part.startswith("<"):
            done.append(part if untouched else _text(part, language))
            continue
        done.append(part if untouched else _SAID.sub(lambda m: _attribute(m, language), part))
        name = _NAME.match(part)
        if name is None or part.endswith("/>") or name[1] in _EMPTY:
            continue
        if part.startswith("</"):
            if untouched:
                untouched.pop()
        elif untouched or name[1] in _AS_IT_IS or 'translate="no"' in part:
            untouched.append(name[1])
    return "".join(done)


def _text(part: str, language: Language) -> str:
    return escape(translated(unescape(part), language), quote=False) if part.strip() else part


def _attribute(match: re.Match[str], language: Language) -> str:
    return f'{match[1]}="{escape(translated(unescape(match[2]), language))}"'
