"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import inspect

import pytest

from didact import nn

WITH_EXAMPLE = [
    name
    for name in nn.__all__
    if callable(getattr(nn, name)) and ">>>" in (inspect.getdoc(getattr(nn, name)) or "")
]


def test_the_entry_points_have_examples() -> None:
    assert {"Teacher", "build_model", "tap", "Projector", "feature_shapes"} <= set(WITH_EXAMPLE)


@pytest.mark.parametrize("name", [name for name in WITH_EXAMPLE if name != "model"])
def test_the_example_runs(name: str) -> None:
    found = doctest.DocTestFinder(recurse=False).find(getattr(nn, name), name, globs={})
    for example in found:
        assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
