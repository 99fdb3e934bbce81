"""From a number to what a reader sees. Accuracies are fractions inside and percent outside."""

from __future__ import annotations

from didact.metrics import Difference, Interval

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def number(value: float, digits: int, *, sign: bool = False) -> str:
    """Fixed digits, a true minus sign, and never a negative zero."""
    rounded = round(value, digits) + 0.0
    text = f"{abs(rounded):.{digits}f}"
    if rounded < 0:
        return MINUS + text
    return "+" + text if sign and rounded > 0 else text


def spread(interval: Interval, scale: float, digits: int) -> str:
    """``98.12 ± 0.40``, or the mean alone where there is no interval."""
    mean = number(interval.mean * scale, digits)
    half = interval.half_width
    return mean if half is None else f"{mean} ± {number(half * scale, digits)}"


def change(difference: Difference, scale: float, digits: int) -> str:
    """``+2.10``."""
    return number(difference.mean * scale, digits, sign=True)


def change_interval(difference: Difference, scale: float, digits: int) -> str:
    """``+0.90 to +3.30``, empty where there is no interval."""
    if difference.low is None or difference.high is None:
        return ""
    low = number(difference.low * scale, digits, sign=True)
    return f"{low} to {number(difference.high * scale, digits, sign=True)}"


def change_half_width(difference: Difference, scale: float, digits: int) -> str:
    """``± 1.20``, empty where there is no interval."""
    if difference.low is None or difference.high is None:
        return ""
    return f"± {number((difference.high - difference.low) / 2 * scale, digits)}"


def p_value(value: float | None) -> str:
    """``p = 0.012``, ``p < 0.001``, empty where there is no test."""
    if value is None:
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def count(value: int) -> str:
    """``1,234,567``."""
    return f"{value:,}"


def size(value: int) -> str:
    """Bytes as ``512 B``, ``34.2 kB``, ``1.75 MB``: powers of 1000, three digits."""
    if value < 1000:
        return f"{value} B"
    scaled, unit = value / 1000, "kB"
    for larger in ("MB", "GB"):
        if scaled >= 999.5:
            scaled, unit = scaled / 1000, larger
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {unit}"


def milliseconds(value: float) -> str:
    """``0.032 ms``, ``0.42 ms``, ``13.1 ms``."""
    digits = 3 if value < 0.1 else 2 if value < 10 else 1
    return f"{value:.{digits}f} ms"


def duration(seconds: float) -> str:
    """``8.2 s``, ``3 min 5 s``, ``2 h 4 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def seeds(count_of_seeds: int) -> str:
    """``1 seed``, ``5 seeds``."""
    return f"{count_of_seeds} seed" + ("" if count_of_seeds == 1 else "s")
