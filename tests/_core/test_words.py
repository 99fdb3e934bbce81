"""One list of words for the checker and the probe."""

from inspect import Parameter

import pytest

from didact._core.words import LABELS, STUDENT, TEACHER, words
from didact.check.engine.names import is_label, is_temperature, is_weight, role_of
from didact.check.engine.spaces import Role
from didact.probe.binding.roles import guess


def guessed(name: str) -> str:
    return guess(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)).role


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("self.oldModel_t", ("old", "model", "t")),
        ("preds_S", ("preds", "s")),
        ("T2", ("t", "2")),
        ("老师_logits", ("老师", "logits")),
    ],
)
def test_a_name_is_split_into_words(name, expected):
    assert words(name) == expected


@pytest.mark.parametrize("word", sorted(TEACHER | STUDENT))
def test_checker_and_probe_agree_whose_it_is(word):
    name = f"{word}_logits"
    side = {Role.TEACHER: "teacher", Role.STUDENT: "student"}[role_of(name)]
    assert guessed(name) == side


@pytest.mark.parametrize("word", sorted(LABELS))
def test_checker_and_probe_agree_on_labels(word):
    assert is_label(word)
    assert guessed(word) == "labels"


@pytest.mark.parametrize("name", ["kd_temp", "tau", "temperature", "softTemper"])
def test_checker_and_probe_agree_on_temperatures(name):
    assert is_temperature(name)
    assert guessed(name) == "temperature"


@pytest.mark.parametrize("name", ["alpha", "kd_weight", "lamda", "ratio"])
def test_checker_and_probe_agree_on_weights(name):
    assert is_weight(name)
    assert guessed(name) == "weight"
