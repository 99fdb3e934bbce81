"""The calls of the page by name, JSON in and JSON out; the same for both back ends."""

from __future__ import annotations

import json
from typing import Any

from didact._core.i18n import Language, Text
from didact.web.answer import answer, rule

NOT_UNDERSTOOD = Text("The page asked for something unknown.", "页面发出了无法识别的请求。")


def call(name: str, arguments: str) -> str:
    """Run one call of the page: ``answer``, ``rule`` or ``warm``."""
    return json.dumps(_call(name, json.loads(arguments)), ensure_ascii=False)


def _call(name: str, values: Any) -> dict[str, Any]:
    language: Language = (
        "zh" if isinstance(values, dict) and values.get("language") == "zh" else "en"
    )
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        return {"error": NOT_UNDERSTOOD.pick(language)}
    if name == "answer":
        return answer(values.get("text", ""), language, values.get("name", ""))
    if name == "rule":
        return rule(values.get("code", ""), language)
    if name == "warm":
        return answer("x = 1", language)
    return {"error": NOT_UNDERSTOOD.pick(language)}
