"""Which statements are really words of a sentence, and which sentence is a question."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from didact.check.snippet.characters import is_cjk
from didact.check.snippet.furniture import is_furniture

_QUESTION_ZH = re.compile(
    r"[？?]|为什么|为啥|为何|怎么|怎样|如何|什么|吗|呢[？?。]?$|哪|是否|是不是|对不对|"
    r"对吗|请问|求问|求解|求助|"
    r"求大佬|解释|逐行|逐句|讲解|讲一下|说明一下|帮忙|帮我|有没有|能不能|可不可以|要不要|"
    r"行不行|区别|意思|作用|报错|"
    r"哪里错|问题(?:在|出)|看不懂|不理解|不明白|注释"
)
_QUESTION_EN = re.compile(
    r"\?|^\W*(?:why|how|what|which|when|where|who|is|are|am|was|does|do|did|should|shall|can|could"
    r"|would|will|has|have)\b|\b(?:explain|line[- ]by[- ]line|what does|how (?:do|does|to|can)|why"
    r"|help me|any (?:idea|help|hint)s?|what(?:'s| is) wrong|confused|don'?t understand"
    r"|wondering|difference between|walk me through|review|correct\b)",
    re.IGNORECASE,
)
_TROUBLE_ZH = re.compile(
    r"不(?:下降|收敛|动|变|对|更新|起作用)|变差|一直|负数|nan|inf", re.IGNORECASE
)
_TROUBLE_EN = re.compile(
    r"\b(?:never|not|n't|worse|stuck|negative|nan|infinite|zero|exactly 0|fails?|error)\b|n't\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^。！？!?\n.]|\.(?!\s+[A-Z]))*(?:[。！？]+|[!?]+|\.(?=\s)|\n|$)")
_SHORT = 5
"""Characters of a sentence that says nothing without the one before it."""

_LETTERS = re.compile(r"[A-Za-z]{2}|[\u4e00-\u9fff]")
_OUTPUT_LINE = re.compile(r"^\s*(?:tensor\(|Tensor\(|array\(|\[+[-\d]|[-\d.e+, ]+$|<\w|\w+Error\b)")


@dataclass(frozen=True, slots=True)
class Question:
    """What the words around the code ask.

    Attributes:
        text: The sentences that ask, as they were written.
        language: ``"zh"`` where they hold Chinese writing, else ``"en"``.
    """

    text: str
    language: Literal["en", "zh"]


def find_question(words: list[str]) -> Question | None:
    """The sentences among the words around the code that ask; else those that name a trouble."""
    sentences: list[str] = []
    for text in words:
        if not is_furniture(text) and not _OUTPUT_LINE.match(text):
            sentences += _sentences(text)
    for zh, en in ((_QUESTION_ZH, _QUESTION_EN), (_TROUBLE_ZH, _TROUBLE_EN)):
        asking = [
            sentence
            for sentence in dict.fromkeys(sentences)
            if _LETTERS.search(sentence)
            and (zh if any(map(is_cjk, sentence)) else en).search(sentence)
        ]
        if asking:
            break
    else:
        return None
    text = " ".join(asking)
    return Question(text, "zh" if any(map(is_cjk, text)) else "en")


def _sentences(text: str) -> list[str]:
    """The sentences of a text; one of a word or two (``Why?``) stays with the one before it."""
    result: list[str] = []
    for found in _SENTENCE.findall(text):
        sentence = found.strip(" \t\n.。,，;；:：-—#>`*'\"()（）")
        if result and sentence and len(sentence) <= _SHORT:
            result[-1] += " " + sentence
        elif sentence:
            result.append(sentence)
    return result


_ENDS_IN_CHINESE = re.compile(r"[\u4e00-\u9fff?？。！!：…~～)）]\s*$")
_STARTS_AS_CODE = re.compile(
    r"\s*(?:[#＃@\"']|(?:import|from|def|class|return|if|elif|else|for|while|with|try|except|print"
    r"|raise|assert|lambda|pass|>>>)\b|[\w.]+\s*(?:\[[^\]]*\]\s*)?(?:[-+*/]?=(?!=)|\())",
    re.ASCII,
)
_ASSIGNS = re.compile(r"[A-Za-z_]\w*\s*[-+*/]?=(?!=)\s*[A-Za-z_][\w.]*\s*\(", re.ASCII)
_LEAST_CHINESE = 4


def is_chinese_sentence(line: str) -> bool:
    """Whether a line is a sentence in Chinese that may mention code, but holds no statement."""
    outside = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "", line)
    if sum(map(is_cjk, outside)) < _LEAST_CHINESE or "#" in outside or "＃" in outside:
        return False
    if _STARTS_AS_CODE.match(line) or _ASSIGNS.search(outside):
        return False
    end = _ENDS_IN_CHINESE.search(outside)
    closes = end is not None and outside.rstrip()[-1] in ")）"
    return end is not None and (
        not closes or re.search(r"[\u4e00-\u9fff]", outside[-6:]) is not None
    )


_ENGLISH_SENTENCE = re.compile(
    r"^\s*(?:(?:Why|How|What|Which|When|Where|Who|Should|Shall|Can|Could|Do|Does|Did|Is|Are|Am|Was"
    r"|Would|Will|I|My|The|This|That|It|In|After|Before|Since|Because|Please|Hi|Hello|Also|But|So"
    r"|And)(?:'\w+)?|(?:why|how|what|which|should|can|could|does|is it|please|i))[ "
    r",]+\w+.*[?!.:]\s*$"
)
_FEW_WORDS = 4


def is_english_sentence(line: str) -> bool:
    """Whether a line is an English sentence that may mention code, but holds no statement."""
    if not _ENGLISH_SENTENCE.match(line) or _ASSIGNS.search(line) or "#" in line:
        return False
    return len(re.findall(r"(?<![\w.(])[A-Za-z]{2,}(?![\w.(=])", line)) >= _FEW_WORDS


def bare_names(node: ast.expr | None) -> set[str] | None:
    """The words that an expression is made of, where it is made of nothing but words.

    Sentences read so: names joined by ``in``, ``is``, ``not``, ``and``, ``or``, dots, dashes and
    strokes (``Open in app``, ``value is wrong``). Anything else gives None.
    """
    names: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        match current:
            case None:
                pass
            case ast.Name(id=name):
                names.add(name)
            case ast.Constant(value=int() | float()):
                pass
            case ast.Attribute(value=value) | ast.UnaryOp(op=ast.Not(), operand=value):
                pending.append(value)
            case ast.BoolOp(values=values) | ast.Tuple(elts=values):
                pending += values
            case ast.BinOp(left=left, op=ast.Sub() | ast.Div(), right=right):
                pending += [left, right]
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in ops
            ):
                pending += [left, *others]
            case _:
                return None
    return names


def is_idle(node: ast.stmt | None) -> bool:
    """Whether a statement does nothing but stand there: words, a number, a bare annotation."""
    if isinstance(node, ast.AnnAssign):
        kind = node.annotation
        if isinstance(kind, ast.UnaryOp) and isinstance(kind.op, ast.USub):
            kind = kind.operand  # ``loss: -0.13``, as it was printed
        return node.value is None and bare_names(kind) is not None
    return isinstance(node, ast.Expr) and bare_names(node.value) is not None


def is_field(node: ast.stmt | None) -> bool:
    """Whether a bare annotation may be a field of a class: ``loss: -0.13`` was printed."""
    return isinstance(node, ast.AnnAssign) and isinstance(
        node.annotation, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp
    )


_QUOTATION = re.compile(r"(?:\S+[ \t]+){3,}\S+|[\u4e00-\u9fff，。？！\w ]{6,}")


def is_quotation(node: ast.stmt | None) -> bool:
    """Whether a statement is a sentence in quotes that asks or ends, on one line."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    text = node.value.value
    if not isinstance(text, str) or "\n" in text:
        return False
    return text.rstrip()[-1:] in "?.!？。！" and _QUOTATION.search(text) is not None


def is_label(node: ast.stmt | None) -> bool:
    """Whether ``docs: loss = f(x)`` is a word with a colon before an assignment."""
    if not isinstance(node, ast.AnnAssign) or node.value is None:
        return False
    kind = node.annotation
    return isinstance(kind, ast.Name) and kind.id.islower() and not hasattr(builtins, kind.id)


def reads_as_sentence(node: ast.stmt, counts: Mapping[str, int]) -> bool:
    """Whether a simple statement is a sentence for sure: ``return value is wrong``.

    It compares or joins words that stand nowhere else in the text.
    """
    if isinstance(node, ast.If | ast.While | ast.With | ast.ClassDef):
        return False
    names = sentence_words(node)
    joins = any(isinstance(inner, ast.Compare | ast.BoolOp) for inner in ast.walk(node))
    return bool(names) and joins and all(counts[name] <= 1 for name in names or ())


def title_words(node: ast.stmt | None) -> set[str]:
    """The words of what may be a title with a bracket behind it: ``RKD(relational)``."""
    if isinstance(node, ast.Expr) and isinstance(call := node.value, ast.Call):
        arguments = [bare_names(a) for a in call.args]
        if isinstance(call.func, ast.Name) and not call.keywords and None not in arguments:
            return {call.func.id}.union(*(a for a in arguments if a))
    return set()


def sentence_words(node: ast.stmt | None) -> set[str] | None:
    """The words of a statement that could as well be a sentence, or None.

    ``return value is wrong``, ``import this please``, ``if you need help:``.
    """
    match node:
        case ast.Return(value=value) | ast.Expr(value=value):
            return bare_names(value) if value is not None else set()
        case ast.Raise(exc=value) | ast.Assert(test=value, msg=None):
            return bare_names(value) if value is not None else None
        case ast.Delete(targets=[target]):
            return bare_names(target)
        case ast.Import(names=[alias]) if alias.asname is None:
            return {alias.name}
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return set(names)
        case ast.If(test=test) | ast.While(test=test):
            return bare_names(test)
        case ast.With(items=[item]) if item.optional_vars is None:
            return bare_names(item.context_expr)
        case ast.ClassDef(name=name, bases=[], keywords=[]):
            return {name}
        case ast.Pass() | ast.Break() | ast.Continue():
            return set()
        case _:
            return None
