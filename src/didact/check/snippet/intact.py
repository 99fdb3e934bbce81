"""Code whose lines are whole, with lines of words between: the code is kept as it stands."""

from __future__ import annotations

import keyword
import re
import textwrap

from didact.check.snippet.characters import is_cjk
from didact.check.snippet.repair import parse

_MOST_LINES = 2_000
_LEAST_CHINESE, _LEAST_WORDS = 4, 3
_QUOTED = re.compile(r"\"[^\"]*\"|'[^'\s][^']*'|`[^`]*`")
_TRIPLE = re.compile(r'"""|\'\'\'')
_STATEMENT = re.compile(
    r"(?:^|[\s:：，。；;])[A-Za-z_][\w.]*\s*[-+*/]?=(?!=)\s*[-(]*[A-Za-z_][\w.]*\s*\("
    r"|\bimport\s+\w[\w.]*(?:\s+as\s|\s*$)|\bfrom\s+\w[\w.]*\s+import\b"
    r"|^\s*(?:(?:import|from|def|class|for|while|with|if|elif|else|except|return)\b.*[:)\]\w]\s*$"
    r"|[@>$%!])"
    r"|^\s*[\w.\[\], ]+\s[-+*/]?=\s[^=]*[([{,\\]\s*$",
    re.ASCII,
)
"""A statement that a line of words would have to carry."""
_CHAT = re.compile(
    r"^\s*(?:Re|Fwd|AW|回复)\s*[:：]|\[[^\]]*#[\w-]+\]\s*$|^\s*\S+\s+[—–-]\s.*\d\d?:\d\d"
    r"|^\s*[A-Za-z]\w{1,15}:\s*$"
)
"""Who wrote a message, where and when."""
_LABEL = re.compile(r"^\s*[A-Z]\w+:\s")
_RESULT = re.compile(
    r"^\s*(?:tensor|array)\((?:[-\d.][\d.e+-]*|nan|inf|-inf)"
    r"(?:, (?:device|dtype|grad_fn)=[^)]*(?:\))?)*\)\s*$"
)
"""A number as PyTorch prints it."""


def without_words(text: str) -> tuple[str, list[int], list[tuple[int, str]]] | None:
    """The lines of code, where each came from (from 1), and the lines of words.

    None where the code without the words does not parse: then its lines are not whole.
    """
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        return None
    inside = _in_strings(lines)
    words = [
        (number, line.strip())
        for number, (line, string) in enumerate(zip(lines, inside, strict=True), start=1)
        if not string and (is_words(line) or _is_result(lines, number))
    ]
    left_out = {number for number, _ in words}
    kept = [(n, line) for n, line in enumerate(lines, start=1) if n not in left_out]
    if not words or not any(line.strip() for _, line in kept):
        return None
    code = _joined(kept, left_out)
    if code is None:
        return None
    return code, [n for n, _ in kept], words


def _joined(kept: list[tuple[int, str]], left_out: set[int]) -> str | None:
    """The lines together as they stand, or each stretch between words moved to the margin."""
    whole = textwrap.dedent("\n".join(line for _, line in kept))
    if parse(whole) is not None:
        return whole
    stretches: list[list[str]] = [[]]
    last = 0
    for number, line in kept:
        if any(n in left_out for n in range(last + 1, number)):
            stretches.append([])
        stretches[-1].append(line)
        last = number
    moved = [textwrap.dedent("\n".join(stretch)) for stretch in stretches]
    if any(parse(code) is None for code in moved):
        return None
    return "\n".join(moved)


def _in_strings(lines: list[str]) -> list[bool]:
    """For each line whether it begins inside a string of several lines."""
    inside, result = False, []
    for line in lines:
        result.append(inside)
        inside ^= len(_TRIPLE.findall(line)) % 2 == 1
    return result


def is_words(line: str) -> bool:
    """Whether a line is a sentence, a title, or the head of a message, and carries no statement."""
    bare = line.strip()
    if len(bare) > 1 and all(map(is_cjk, bare)):
        return True
    if not bare or bare[0] in "#＃@)]}\"'" or parse(bare) is not None:
        return False
    if _CHAT.search(line):
        return bare.rstrip(":") not in ("else", "try", "finally")
    outside = _QUOTED.sub(" ", line)
    if _STATEMENT.search(outside) or "#" in outside or "＃" in outside:
        return False
    if parse(f"{bare}\n    pass") is not None or bare.endswith(("(", "[", "{", ",", "\\")):
        return False
    return (
        sum(map(is_cjk, outside)) >= _LEAST_CHINESE
        or _run_of_words(outside) >= _LEAST_WORDS
        or _LABEL.match(line) is not None
    )


def _run_of_words(line: str) -> int:
    """How many plain words follow on each other, with nothing but blanks between."""
    longest = run = plain = 0
    for word in line.split():
        if re.fullmatch(r"[A-Za-z][a-z']*[,.?!:;]?", word):
            run += 1
            plain += not keyword.iskeyword(word)
        else:
            run = plain = 0
        if plain >= 2:
            longest = max(longest, run)
    return longest


def _is_result(lines: list[str], number: int) -> bool:
    """Whether a line is what running the code printed, and no argument over several lines."""
    before = next((line.rstrip() for line in reversed(lines[: number - 1]) if line.strip()), "")
    return _RESULT.match(lines[number - 1]) is not None and not before.endswith(("(", "[", ","))
