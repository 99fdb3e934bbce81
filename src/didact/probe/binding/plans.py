"""The sizes and layouts that a loss is tried with, the likeliest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from didact._core.i18n import Text
from didact._core.words import words
from didact.probe.binding.candidates import Slots
from didact.probe.binding.documented import documented_layout
from didact.probe.binding.roles import Guess
from didact.probe.binding.target import Target, call_parameters, owner_of
from didact.probe.binding.written import widths_in, zipped
from didact.probe.inputs.inputs import BATCH, CLASSES, LOGIT_LAYOUTS, Layout, Sizes

Plan = list[tuple[Sizes, Layout]]

_OLD = 3
_SQUARE = Sizes(classes=BATCH)
_SQUARE_OLD = Sizes(classes=BATCH + 2, old=BATCH)
_MANY = Sizes(classes=20)
"""For a loss that takes the 8 or 10 likeliest classes."""
_NUMBER = re.compile(r"(?<![\w.])\d{1,4}(?![\w.])|(?<=CIFAR-)\d+")
_TOO_FEW, _FOR_ALL = re.compile("selected index k out of range"), 128
"""What torch says where fewer classes are there than are taken, and how many are enough."""
_OF_TOKENS = re.compile(r"(Causal|Masked|Prefix)LM|LMHead|LMOutput|Seq2Seq|TokenClass")
"""What is in the name of a class of outputs of language models."""
_MOST_CLASSES, _MOST_TEACHERS = 2000, 20
_LOGITS: tuple[Layout, ...] = (
    "classes",
    "sequence",
    "dense",
    "outputs",
    "output_sequences",
    "lists",
    "teachers",
    "vectors",
    "maps",
    "layers",
    "hidden",
    "volumes",
    "channels_first",
    "vocabulary_first",
    "nested",
    "nested_maps",
)
_FEATURES: tuple[Layout, ...] = (
    "maps",
    "vectors",
    "tokens",
    "layers",
    "hidden",
    "attentions",
    "classes",
    "nested_maps",
    "named_maps",
    "named_tokens",
)


def layouts_of(source: Any, guesses: Mapping[str, Guess], built: Slots = ()) -> list[Layout]:
    """The shapes to try, what the loss says of itself first."""
    sides = {n: g for n, g in guesses.items() if g.role in ("student", "teacher", "unknown")}
    first: list[Layout] = []
    scores = {g.role for g in sides.values() if g.sure and not g.features}
    features = any(g.features for g in sides.values()) and not {"student", "teacher"} <= scores
    projects = _projects(source, guesses, built)
    features = features or projects
    named = {word for n in sides for word in words(n)}
    walked = features and _walked(source, sides)
    if walked or any(g.plural for g in sides.values()):
        first += ["layers", "hidden"] if features else ["teachers", "lists"]
        if not walked and all(g.plural for g in sides.values() if g.role == "student"):
            first.reverse()
    if features and named & {"attention", "attentions", "attn", "attns", "att"}:
        first.append("attentions")
    if features and named & {"hidden", "hiddens"}:
        first += ["tokens", "hidden"]
    if projects and "mask" in {g.role for g in guesses.values()}:
        first.append("tokens")
    said_by = [str(p.annotation) for p in call_parameters(source)]
    said_by += [base.__name__ for base in getattr(owner_of(source) or source, "__mro__", ())]
    if any(map(_OF_TOKENS.search, said_by)):
        first += ["sequence", "output_sequences"]
    chooses = set(guesses) & {"class_dim", "dim", "axis"}
    said = None if chooses else documented_layout(source, features=features)
    if said is not None:
        first += [said, "output_sequences"] if said == "sequence" else [said]
    return list(dict.fromkeys([*first, *(_FEATURES if features else _LOGITS)]))


def _projects(source: Any, guesses: Mapping[str, Guess], built: Slots) -> bool:
    """Whether a class makes layers of the widths it is given and says nothing of class scores."""
    roles = {g.role for g in guesses.values()} | {s.role for s in built}
    sized = {s.name for s in built if s.role == "width"} & widths_in(source)
    scores = {"temperature", "labels", "classes"} & roles or any(
        g.space_sure for g in guesses.values()
    )
    return bool(sized) and not scores


def _walked(source: Any, sides: Mapping[str, Guess]) -> bool:
    """Whether both sides are walked through side by side, and no documented shape is a tensor's."""
    both = {g.role for name, g in sides.items() if name in zipped(source)}
    return both >= {"student", "teacher"} and documented_layout(source, features=True) is None


def plans(
    guesses: Mapping[str, Guess],
    target: Target,
    layouts: list[Layout],
    old_classes: int | None,
) -> Iterator[Plan]:
    """Sizes and layouts to try: the ordinary ones first, unless the loss speaks of old classes."""
    asked = [g.role for g in guesses.values()] + [s.role for s in target.built]
    fewer_asked = old_classes is not None or "old_classes" in asked
    if not fewer_asked:
        yield [(Sizes(), each) for each in layouts]
    labelled = any(g.role == "labels" for g in guesses.values())
    sizes = [*_fewer(old_classes or _OLD, True, labelled), _SQUARE_OLD]
    if fewer_asked:
        sizes = [*_fewer(old_classes or _OLD, False, labelled), *sizes]
        sizes.append(replace(_SQUARE_OLD, narrow=False))
    else:
        sizes.insert(0, _SQUARE)
    for each in layouts:
        if each in LOGIT_LAYOUTS:
            yield [(size, each) for size in sizes]
    yield [(_MANY, each) for each in layouts]


def _fewer(old: int, narrow: bool, labelled: bool) -> Iterator[Sizes]:
    batch = next(b for b in range(BATCH, BATCH + 6, 2) if b not in (old, old + 2))
    plain = Sizes(batch, classes=old + 2, old=old, narrow=narrow)
    yield plain
    if labelled:
        yield replace(plain, labelled="new")
        yield replace(plain, labelled="low")


def told_by_errors(tried: list[tuple[Slots, Text]], layouts: list[Layout]) -> Iterator[Plan]:
    """Sizes that a loss has fixed, such as 100 classes: its errors name them."""
    said = [int(n) for _, reason in tried for n in _NUMBER.findall(reason.en)]
    numbers = [n for n, _ in Counter(said).most_common() if CLASSES < n <= _MOST_CLASSES][:3]
    for n in numbers:
        yield [(Sizes(classes=n, fixed=True), each) for each in layouts if each in LOGIT_LAYOUTS]
    if "teachers" in layouts:
        yield [(Sizes(teachers=n), "teachers") for n in numbers if n <= _MOST_TEACHERS]
    if any(_TOO_FEW.search(reason.en) for _, reason in tried):
        yield [(Sizes(classes=_FOR_ALL), each) for each in layouts]
    yield [(Sizes(batch=8), each) for each in layouts]
