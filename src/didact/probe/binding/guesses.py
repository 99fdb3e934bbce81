"""What the parameters of a loss are: by their names, and by what its code does with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import Parameter
from itertools import permutations
from typing import Any

from didact._core.words import LABELS, STUDENT, TEACHER, word_set, words
from didact.probe.binding.roles import Guess, Role, Space, guess, guess_name, guess_option
from didact.probe.binding.written import (
    attributes_of,
    called,
    choices,
    numbers_in,
    only_written,
    pairs_unpacked,
    ranks,
)


def guesses_of(
    source: Any, parameters: list[Parameter], roles: Mapping[str, Role]
) -> dict[str, Guess]:
    """The role of each parameter; ``roles`` are those that the user gave."""
    guesses = {p.name: _judge(p, roles, source) for p in parameters}
    guesses |= _labels_of_sides(guesses)
    return guesses | _sparse(guesses) | _both(source, guesses)


def _labels_of_sides(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """``student_labels``, and the teacher's beside them, where each side has its own."""
    found = [n for n, g in guesses.items() if g.role == "student" and set(words(n)) & LABELS]
    if not found or not any(g.role == "student" for n, g in guesses.items() if n not in found):
        return {}
    twins = [n.replace("student", "teacher") for n in found]
    return {n: Guess("labels") for n in (*found, *twins) if n in guesses}


def _both(source: Any, guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """One parameter that the code takes apart into the outputs of student and teacher."""
    for name, parts in pairs_unpacked(source).items():
        roles = [guess_name(part).role for part in parts]
        if name in guesses and not guesses[name].sure and {*roles} == {"student", "teacher"}:
            return {name: Guess("both", plural=roles[0] == "teacher")}
    return {}


_IDS, _VALUES = word_set("ids indices"), word_set("values logprobs probs")


def _sparse(guesses: Mapping[str, Guess]) -> dict[str, Guess]:
    """``target_ids`` beside ``target_values``: the teacher's likeliest classes, and what it says.

    The values are logarithms of probabilities: what a server of a language model gives. Whether a
    temperature is in them already no name says: both readings are tried.
    """
    said = {n: frozenset(words(n)) for n in guesses}
    for ids, values in permutations(said, 2):
        shared = said[ids] & said[values] & (TEACHER | LABELS)
        if shared and said[ids] & _IDS and said[values] & _VALUES:
            space: Space = "probs" if "probs" in said[values] else "log_probs"
            masks = [n for n, g in guesses.items() if g.role == "mask" and said[n] & shared]
            of_places = {n: Guess("mask", space="one_hot") for n in masks}
            return {ids: Guess("top_ids"), values: Guess("teacher", space=space)} | of_places
    return {}


def _judge(parameter: Parameter, roles: Mapping[str, Role], source: Any) -> Guess:
    found = guess(parameter)
    if parameter.default is Parameter.empty:
        found = _by_use(parameter.name, found, source)
    if parameter.name in roles:
        return replace(found, role=roles[parameter.name], sure=True)
    return found


def _by_use(name: str, found: Guess, source: Any) -> Guess:
    """What the code does with a parameter that must be given, where its name leaves doubt."""
    if name in only_written(source):
        return Guess("sink")
    if found.role == "projector" and set(words(name)) & (STUDENT | TEACHER):
        return found if name in called(source) else guess_name(_plain(name))
    told = found.role in ("unknown", "weight", "labels") or not found.sure
    if isinstance(said := choices(source).get(name), str):
        return Guess("choice")
    if told and said is False:
        return Guess("switch")
    if found.sure and found.role != "unknown":
        return found
    if found.role in ("unknown", "labels", "student") and name in numbers_in(source):
        return Guess("count")
    if attributes_of(source, name) and guess_option(name) == "options":
        return Guess("options")
    if name in _COUNTS and not attributes_of(source, name) and name not in ranks(source):
        return Guess("count", sure=False)
    return found


_COUNTS = ("k", "n", "K", "N")


def _plain(name: str) -> str:
    """A name without what says that it went through a projector: ``student_proj`` -> student."""
    return "_".join(w for w in words(name) if w in STUDENT | TEACHER)
