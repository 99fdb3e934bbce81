"""What the code, its names and its comments tell of the number of dimensions."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from didact.check.explain.formula.nodes import nodes_of

_SEQUENCES = re.compile(
    r"\b(gpt2?|sfttrainer|sft|gkd|llama|qwen|bloom|mistral|gemma|chatglm|causallm|autoregressive|seq|seq_len|sequence|causal|vocab|vocabulary|sentence|lm|pad|pad_id|speech|asr|ctc|frames"
    r"|utterance|tokens?)\b|topk_(ids|log)|(?<!mini)(?<!disti)llm|per_token|token(?!ize|_type|s?_len)|causal|wav2vec|hubert"
    r"|句子|序列|词表|词元|语音|大模型|语言模型"
)
_MAPS = re.compile(
    r"\b(seg|segmentation|pixels?|spatial|attention_map|feature_map|voxels?|volumetric|unet|nnunet"
    r"|dice|heatmaps?|interpolate|miou)\b|seg_|pixel|voxel|segment|像素|分割|体素"
)
_SHAPES = {
    2: re.compile(
        r"[(\[]\s*(b|n|bs|bsz|batch|batch_size)\s*[,x×]\s*(c|k|class(es)?|n_?class(es)?|num_?class(es)?|"
        r"num_?labels|v|vocab(_?size)?|类别数?)\s*[)\]]"
    ),
    3: re.compile(
        r"[(\[]\s*(b|n|bs|bsz|batch|batch_size)\s*[,x×]\s*(s|t|l|seq|seq_?len|length|time|tokens)"
        r"\s*[,x×]\s*(v|c|d|vocab|vocab_?size|classes|hidden|dim)\s*[)\]]"
    ),
    4: re.compile(
        r"\b(b|n|bs|batch|batch_size|batchsize)\s*[,x×]\s*(c|channels?)\s*[,x×]\s*(d\s*[,x×]\s*)?"
        r"(h|height)\s*[,x×]\s*(w|width)\b"
    ),
}
"""How comments write the shape of what is compared."""
_NUMBERS = {
    rank: re.compile(
        r"(?:\b(?:shapes?|logits|outputs?|randn?)\b|形状|维度|输出)[^\[(\n]{0,24}[\[(]\s*\d+"
        rf"(?:\s*[,x×]\s*\d+){{{rank - 1}}}\s*[\])]"
    )
    for rank in (3, 4)
}
"""How words and comments write it in numbers: ``logits are [8, 19, 128, 256]``."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The numbers of dimensions to try, the likeliest first.

    Attributes:
        order: The numbers.
        certain: The code itself tells the first.
        word: What speaks for the first.
    """

    order: tuple[int, ...] = (2, 3, 4)
    certain: bool = False
    word: str = ""

    @classmethod
    def first(cls, rank: int, word: str, *, certain: bool = False) -> Ranks:
        """One number before the others."""
        return cls((rank, *(r for r in (2, 3, 4) if r != rank)), certain, word)


_SELECTED = re.compile(r"(?<![a-z])(slct|masked_select|selected|flat(ten(ed)?)?)(?![a-z])")
"""Scores of positions that were picked or put in rows before: ``[N, V]``."""


def ranks_of(tree: ast.Module, words: str) -> Ranks:
    """What the code, its names and its comments tell of the number of dimensions."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            shape = ast.unparse(node.value).endswith((".shape", ".size()"))
            count = len(node.targets[0].elts)
            if shape and count in {2, 3, 4}:
                return Ranks.first(count, ast.unparse(node), certain=True)
    lowered = words.lower()
    for shapes in (_SHAPES, _NUMBERS):
        for rank, pattern in shapes.items():
            shape_told = pattern.search(lowered)
            others = any(p.search(lowered) for r, p in shapes.items() if r != rank)
            if shape_told is not None and not others:
                return Ranks.first(rank, shape_told[0], certain=True)
    if shift := _shift(tree):
        return Ranks.first(3, shift)
    names = " ".join(sorted(words_of(tree))) + " " + lowered
    if _SELECTED.search(names):
        return Ranks()
    for rank, pattern in ((3, _SEQUENCES), (4, _MAPS)):
        word = pattern.search(names)
        if word is not None:
            return Ranks.first(rank, word[0])
    return Ranks()


def _shift(tree: ast.Module) -> str:
    """A slice that leaves the last position out, as a causal model's scores are cut."""
    for node in nodes_of(tree):
        parts = node.slice.elts if isinstance(node, ast.Subscript) and isinstance(
            node.slice, ast.Tuple) else []  # fmt: skip
        for part in parts[1:]:
            last = isinstance(part, ast.Slice) and part.lower is None and part.upper is not None
            if last and ast.unparse(part) == ":-1":
                return ast.unparse(node)
    return ""


def words_of(tree: ast.Module) -> set[str]:
    """The words that the names of a file are made of."""
    words: set[str] = set()
    for node in nodes_of(tree):
        for name in (getattr(node, "id", None), getattr(node, "attr", None),
                     getattr(node, "arg", None), getattr(node, "name", None)):  # fmt: skip
            if isinstance(name, str):
                words |= set(re.split(r"[_\d]+", name.lower())) | {name.lower()}
    return words


def dimensions(rank: int) -> str:
    """The shape for which a claim holds."""
    return {2: "[B, C]", 3: "[B, S, C]", 4: "[B, C, H, W]"}[rank]
