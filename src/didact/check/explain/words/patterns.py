"""Patterns of words in both languages."""

from __future__ import annotations

import re


def either(english: str, chinese: str) -> re.Pattern[str]:
    """Words of both languages, in capitals or not."""
    return re.compile(f"{english}|{chinese}", re.IGNORECASE)
