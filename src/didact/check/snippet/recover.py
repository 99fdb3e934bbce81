"""The whole way from a paste to a source that parses."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace

from didact._core.i18n import Text
from didact.check.snippet.characters import is_cjk, plain_lines, visible, without_html
from didact.check.snippet.console import (
    without_prompts,
    without_shell,
    without_tracebacks,
)
from didact.check.snippet.emit import Emitter
from didact.check.snippet.intact import without_words
from didact.check.snippet.levels import levels
from didact.check.snippet.mentions import (
    DEFINED,
    as_sentences,
    defined_in_words,
    is_used_before,
)
from didact.check.snippet.page import (
    Page,
    from_notebook,
    with_python_signs,
    without_bullets,
    without_buttons_of_page,
    without_diff_signs,
    without_fences,
    without_numbers,
    without_quote_marks,
)
from didact.check.snippet.prose import (
    Question,
    find_question,
    is_idle,
    is_quotation,
    reads_as_sentence,
)
from didact.check.snippet.repair import parse, shorten
from didact.check.snippet.segment import LONG_LINE, Piece, Segmenter
from didact.check.snippet.tokens import Source

_PROMPT = re.compile(r"^In ?\[\d*\] ?:", re.MULTILINE)
LIMIT = 120_000
"""Characters of a text that does not parse which are looked at."""

MOST_LEFT_OUT = 40
"""Lines that are left out one by one, each after a new attempt to parse; then all that follow."""

CUT = Text(
    "The text does not parse and is very long; only its first {limit} characters were read.",
    "文本无法解析且过长，只读取了前 {limit} 个字符。",
)
LEFT_OUT = Text(
    "Words that are not code were left out: {words}.", "不是代码的文字已略去：{words}。"
)
NOT_PARSED = Text(
    "`{code}` cannot be read as Python and was left out.", "`{code}` 无法按 Python 解析，已略去。"
)
CHARACTERS = Text(
    "Full-width punctuation or curly quotes in the code were made plain.",
    "代码中的全角标点或弯引号已换成半角字符。",
)
HTML = Text("HTML tags and entities were removed.", "去掉了 HTML 标签和转义字符。")
INVISIBLE = Text(
    "Invisible characters or odd spaces were made plain.", "不可见字符或特殊空格已还原成普通空格。"
)
NO_CODE = Text("No Python code was found in the text.", "文本中没有找到 Python 代码。")


@dataclass(frozen=True, slots=True)
class Recovered:
    """Code that parses, and how it was got.

    Attributes:
        source: Python; ``ast.parse`` accepts it. Empty where no code was found.
        guesses: What was changed, guessed or left out, in the order of the text.
        line_map: For each line of ``source``, the line of the paste that it came from (from 1).
        tree: The syntax tree of ``source``.
        words: The words around the code, each with its line of the paste.
        question: What those words ask, where they ask something.
    """

    source: str
    guesses: list[Text] = field(default_factory=list)
    line_map: list[int] = field(default_factory=list)
    tree: ast.Module = field(default_factory=lambda: ast.Module(body=[], type_ignores=[]))
    words: list[tuple[int, str]] = field(default_factory=list)
    question: Question | None = None


def recover(text: str) -> Recovered:
    """Python statements from a paste: a file, a fragment, or what a web page made of it.

    A text that parses is kept as it is, except where a comment visibly swallowed the code behind
    it. Any text is accepted; what cannot be read is left out and told.
    """
    text = plain_lines(text)
    text, guesses = from_notebook(text)
    if (kept := _as_it_is(text)) is not None:
        return replace(kept, guesses=guesses)
    if len(text) > LIMIT:
        text = text[:LIMIT]
        guesses.append(CUT.format(limit=LIMIT))
    if (plain := without_html(text)) != text:
        guesses.append(HTML)
    if visible(plain) != plain:
        guesses.append(INVISIBLE)
    page = Page.of(text)
    page.rewrite(lambda line: visible(line).replace("\u2028", "\n"))
    without_fences(page)
    without_quote_marks(page)
    shown = without_tracebacks(page)
    without_prompts(page)
    without_diff_signs(page)
    without_bullets(page)
    without_numbers(page)
    without_buttons_of_page(page)
    without_shell(page)
    with_python_signs(page)
    result = _of_page(page)
    if not result.tree.body and shown:
        lines = [shown[-1].strip()]
        result = _of_page(Page(lines, [1], result.words, page.notes))
    return replace(result, guesses=guesses + result.guesses)


def _of_page(page: Page) -> Recovered:
    """The code of a page that holds nothing but code and words."""
    text = page.text
    result = _between_words(text) or _as_it_is(text) or _rebuild_with_names(text.expandtabs(4))
    last = len(page.origin)
    lines = [page.origin[min(line, last) - 1] for line in result.line_map]
    words = [*page.aside, *((page.origin[min(n, last) - 1], w) for n, w in result.words)]
    words.sort(key=lambda word: word[0])
    question = find_question([text for _, text in words])
    notes = page.notes + result.guesses
    return _defined(Recovered(result.source, notes, lines, result.tree, words, question))


def _defined(result: Recovered) -> Recovered:
    """With what the words around the code define put in front of it."""
    if not result.tree.body:
        return result
    result = _moved_ahead(result)
    found = list(defined_in_words(result.tree, result.words))
    source = "".join(f"{code}\n" for _, code in found) + result.source
    tree = parse(source)
    if not found or tree is None:
        return result
    notes = [DEFINED.format(code=shorten(code)) for _, code in found]
    lines = [line for line, _ in found] + result.line_map
    return replace(result, source=source, guesses=result.guesses + notes, line_map=lines, tree=tree)


def _moved_ahead(result: Recovered) -> Recovered:
    """With ``where kl = nn.KLDivLoss()`` from behind the code in front of it."""
    last = result.tree.body[-1]
    if len(result.tree.body) < 2 or last.lineno > len(result.line_map):
        return result
    origin = result.line_map[last.lineno - 1]
    worded = any(line == origin for line, _ in result.words)
    if not worded or not is_used_before(last, result.tree):
        return result
    lines = result.source.split("\n")
    start = last.lineno - 1
    moved = "\n".join(lines[start:]).strip("\n")
    source = f"{moved}\n" + "\n".join(lines[:start]).rstrip("\n") + "\n"
    tree = parse(source)
    if tree is None:
        return result
    ahead = result.line_map[start:]
    notes = [*result.guesses, DEFINED.format(code=shorten(moved))]
    line_map = [*ahead[: moved.count("\n") + 1], *result.line_map[:start]]
    return replace(result, source=source, guesses=notes, line_map=line_map, tree=tree)


def _between_words(text: str) -> Recovered | None:
    """Code whose lines and indentation are whole, less the lines of words around and between."""
    found = without_words(text)
    if found is None:
        return None
    code, origin, words = found
    kept = _as_it_is(code)
    if kept is None:
        return None
    lines = [origin[min(line, len(origin)) - 1] for line in kept.line_map]
    return replace(kept, guesses=[_left_out(words)], line_map=lines, words=words)


def _left_out(words: list[tuple[int, str]]) -> Text:
    shown = "; ".join(f"`{shorten(w, 60)}`" for _, w in words[:4])
    return LEFT_OUT.format(words=shown + (" …" if len(words) > 4 else ""))


def _as_it_is(text: str) -> Recovered | None:
    """The text unchanged but for common indentation, where it parses and hides no code."""
    code = textwrap.dedent(text).strip("\n") + "\n"
    skipped = len(text) - len(text.lstrip("\n"))
    tree = parse(code)
    if tree is None or not code.strip() or _PROMPT.search(code) or _hides_code(code, tree):
        return None
    counts = Source(code).counts
    if any(is_idle(node) or reads_as_sentence(node, counts) for node in tree.body):
        return None
    if any(map(is_quotation, tree.body[1:])):
        return None
    count = code.count("\n")
    return Recovered(code, [], [skipped + i + 1 for i in range(count)], tree)


def _hides_code(code: str, tree: ast.Module) -> bool:
    """Whether a comment holds code that was glued to it, or words stand where a name should."""
    if _has_glued_name(code, tree):
        return True
    if not tree.body:
        return any(ch == "#" for ch in code) and len(code.strip().split("\n")) == 1
    if "#" not in code and "＃" not in code:
        return False
    longest = max(len(line) for line in code.split("\n"))
    if longest < LONG_LINE and code.strip().count("\n") > 1:
        return False
    pieces = Segmenter(Source(code)).pieces_of_text()
    found = sum(piece.kind == "code" for piece in pieces)
    return found > sum(
        1 for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.ExceptHandler)
    )


def _has_glued_name(code: str, tree: ast.Module) -> bool:
    """Whether a word of a sentence is glued to a name, or stands where a call should.

    A name of Chinese characters alone is a name like any other, and so is a mixed one that is used
    again.
    """
    called = {
        node.value.func.id
        for node in tree.body
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if not isinstance(name, str):
            continue
        if name == "br" and "<br" in code:
            return True
        written = [is_cjk(c) for c in name if c.isalpha()]
        if any(written) and not all(written) and code.count(name) < 2:
            return True
        if any(written) and name in called - defined:
            return True
    return False


_TARGET = re.compile(r"^[ \t]*(?P<name>[^\W\d]\w*)[ \t]*[-+*/]?=(?!=)", re.MULTILINE)
_STAND_IN = "name_in_chinese_{}_"
_STOOD_IN = re.compile(_STAND_IN.format(r"(\d+)"))
_LONGEST_STATEMENT = 8
"""Lines of an assignment to a Chinese name that are tried together."""


def _rebuild_with_names(text: str) -> Recovered:
    """Rebuild a text; Chinese names that are assigned to are names meanwhile, and no words."""
    names = sorted(_chinese_names(text))
    if not names:
        return _rebuild(text)
    numbers = {name: _STAND_IN.format(number) for number, name in enumerate(names)}
    text = re.sub(r"\w+", lambda word: numbers.get(word[0], word[0]), text)
    result = _rebuild(text)

    def back(shown: str) -> str:
        return _STOOD_IN.sub(lambda word: names[int(word[1])], shown)

    source = back(result.source)
    return replace(
        result,
        source=source,
        guesses=[Text(back(guess.en), back(guess.zh)) for guess in result.guesses],
        tree=parse(source) or result.tree,
        words=[(line, back(words)) for line, words in result.words],
    )


def _chinese_names(text: str) -> set[str]:
    """Chinese names in assignments, where these are Python as they stand.

    A target that holds Latin letters too may have a word glued to it; it must occur again.
    """
    names: set[str] = set()
    if not any(map(is_cjk, text)):
        return names
    counts = Counter(re.findall(r"\w+", text))
    for match in _TARGET.finditer(text):
        tree = _assignment_at(text, match.start())
        if tree is None:
            continue
        found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and any(map(is_cjk, n.id))}
        mixed = {name for name in found if re.search(r"[A-Za-z]", name)}
        calls = any(isinstance(node, ast.Call) for node in ast.walk(tree))
        if all(counts[name] > 1 for name in mixed) and (calls or counts[match["name"]] > 1):
            names |= found
    return names


def _assignment_at(text: str, start: int) -> ast.Module | None:
    """The one statement of the fewest lines from here on that parse; None for plain ASCII."""
    lines = text[start : start + _LONGEST_STATEMENT * LONG_LINE].split("\n")[:_LONGEST_STATEMENT]
    for count in range(1, len(lines) + 1):
        code = textwrap.dedent("\n".join(lines[:count]))
        tree = parse(code)
        if tree is not None:
            return tree if len(tree.body) == 1 and not code.isascii() else None
    return None


def _rebuild(text: str) -> Recovered:
    source = Source(text)
    segmenter = Segmenter(source)
    pieces = segmenter.pieces_of_text()
    if not segmenter.lines_are_lost:
        pieces = as_sentences(source, pieces)
    code = [p for p in pieces if p.kind == "code"]
    guesses: list[Text] = []
    if source.ascii != source.raw and any(
        source.ascii[p.start : p.end] != source.raw[p.start : p.end] for p in code
    ):
        guesses.append(CHARACTERS)
    depth, notes = levels(source, code)
    emitter = Emitter(source)
    emitter.write(pieces, depth)
    words = _words(source, pieces)
    guesses += [*notes, *emitter.notes]
    if words:
        guesses.append(_left_out(words))
    return replace(_parsed(emitter.lines, emitter.origin, guesses), words=words)


def _words(source: Source, pieces: list[Piece]) -> list[tuple[int, str]]:
    """What is no code, each stretch of a line with its line."""
    spans: list[tuple[int, int]] = []
    for piece in pieces:
        if piece.kind != "words":
            continue
        if spans and not source.raw[spans[-1][1] : piece.start].strip(" \t\\;"):
            spans[-1] = (spans[-1][0], piece.end)
        else:
            spans.append((piece.start, piece.end))
    texts = [(source.line_of(start), source.raw[start:end].strip()) for start, end in spans]
    return [(line, text) for line, text in texts if text.strip(" .,;:。，；`")]


def _parsed(lines: list[str], origin: list[int], guesses: list[Text]) -> Recovered:
    """What was written, less whatever line still keeps it from parsing."""
    for attempt in range(MOST_LEFT_OUT + 2):
        source = "\n".join(lines) + "\n" if lines else ""
        tree = parse(source)
        if tree is not None:
            if not tree.body:
                guesses = [*guesses, NO_CODE]
            return Recovered(source, guesses, origin, tree)
        bad = _bad_line(source, len(lines))
        guesses = [*guesses, NOT_PARSED.format(code=shorten(lines[bad]))]
        rest = bad + 1 if attempt < MOST_LEFT_OUT else len(lines)
        lines, origin = lines[:bad] + lines[rest:], origin[:bad] + origin[rest:]
    return Recovered("", [*guesses, NO_CODE])


def _bad_line(source: str, count: int) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        return min(max((error.lineno or 1) - 1, 0), count - 1)
    except (ValueError, RecursionError, MemoryError):
        pass
    return count - 1
