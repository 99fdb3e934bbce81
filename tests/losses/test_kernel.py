"""The kernel gives what the operations give, and can be compiled for GPUs that are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from didact.losses.fast import kl_kernel

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="there is no Triton")
COMPILED = """
import warnings; warnings.simplefilter("ignore")
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from didact.losses.fast.kl_triton import _kernel
kernel = _kernel()
for labelled in (True, False):
    kinds = dict.fromkeys(kernel.arg_names, "i32")
    kinds |= dict.fromkeys(("scale", "soft_slope", "soft", "hard"), "fp32")
    kinds |= dict.fromkeys(("student", "teacher", "gradient"), "*bf16")
    kinds |= {"values": "*fp32", "labels": "*i64" if labelled else "*fp32"}
    kinds |= {"mask": "*u8" if labelled else "*fp32"}
    known = {"labelled": labelled, "masked": labelled, "writes": True, "block": 8192}
    kinds |= dict.fromkeys(known, "constexpr")
    source = ASTSource(fn=kernel, signature=kinds, constexprs=known)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 16})
    assert "cubin" in made.asm
"""


def python(*words: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, *words], env={**os.environ, **environment}, capture_output=True, text=True,
        cwd=Path(__file__).parents[2], timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@needs_triton
def test_value_and_gradient_are_those_of_the_operations() -> None:
    """In a process of its own: the interpreter is chosen when Triton is imported."""
    cases = str(Path(__file__).parent / "kernel_cases.py")
    python("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", cases, TRITON_INTERPRET="1")


@needs_triton
def test_it_can_be_compiled_for_a_gpu() -> None:
    python("-c", COMPILED)


def test_on_a_cpu_the_operations_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = torch.randn(2, 3, 5).unbind()
    assert not kl_kernel.can_run(*sides)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(kl_kernel, "find_spec", lambda _: None)
    kl_kernel._is_right.cache_clear()
    assert not kl_kernel.can_run(*sides), "there is no Triton"
    kl_kernel._is_right.cache_clear()
