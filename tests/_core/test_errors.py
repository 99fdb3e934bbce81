"""Whoever builds on didact catches what it raises by one public name."""

from __future__ import annotations

import subprocess
import sys

import pytest

import didact
from didact import DidactError
from didact._core import errors


def test_every_error_is_a_didact_error() -> None:
    assert DidactError is errors.DidactError
    own = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert len(own) > 5
    assert all(issubclass(error, DidactError) for error in own)
    with pytest.raises(DidactError):
        didact.losses.kd(None, None)


def test_importing_didact_imports_no_torch() -> None:
    code = "import sys, didact; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
