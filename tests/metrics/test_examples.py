"""Every public metric has an example in its docstring, and the example runs."""

import doctest
import inspect

import pytest

from didact import metrics

FUNCTIONS = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_runs(name: str):
    examples = doctest.DocTestFinder(recurse=False).find(getattr(metrics, name), name, globs={})
    assert sum(len(example.examples) for example in examples) > 0
    for example in examples:
        assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
