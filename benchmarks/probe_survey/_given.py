"""What the scripts of the survey share: made-up logits, a few helpers, and stand-ins for imports.

`student` and `teacher` are logits of 64 samples and 10 classes, `labels` their classes, the same in
every run. A package that is missing ends a script with one line. Stand-ins let three packages be
imported beside a CPU build of torch; no loss of the survey calls what they stand for:

- torchvision (timm, avalanche, torchdistill): the package index has a CUDA build, whose compiled
  operators do not load. Its Python files need two signatures, which are declared where they do not.
- wandb (a logger of avalanche) is an empty module where it is missing.
- `KD_Lib.KD.text`, which imports what transformers 5 no longer has, is an empty object.
"""

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import ClassVar
from unittest.mock import MagicMock

import torch
from torch import Tensor


def show(**numbers: float | Tensor) -> None:
    """Prints named numbers with three digits, six places at most."""
    texts = [f"{name.replace('_', ' ')}: {_round(float(n)):.3g}" for name, n in numbers.items()]
    print(", ".join(texts))


def _round(number: float) -> float:
    return round(number, 6) + 0.0  # the last step makes -0 to 0


def push(loss: Callable[[Tensor], Tensor], at: Tensor | None = None) -> float:
    """The norm of the gradient of `loss` at the student's logits, or at others."""
    leaf = (student if at is None else at).clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0].norm().item()


def off(loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """How far bfloat16 logits move the gradient from that of the same numbers in float64."""
    target, near = (x.bfloat16() for x in (teacher, teacher + 0.25 * student / student.std()))
    found = []
    for dtype in (torch.bfloat16, torch.float64):
        leaf = near.to(dtype).requires_grad_()
        found.append(torch.autograd.grad(loss(leaf, target.to(dtype)), leaf)[0].double())
    return float((found[0] - found[1]).norm() / found[1].norm())


def in_float32(student: Tensor, teacher: Tensor) -> Tensor:
    """Forward KL that is computed in float32 at least, whatever comes in."""
    wide = torch.promote_types(student.dtype, torch.float32)
    log_q, log_p = (x.to(wide).log_softmax(-1) for x in (student, teacher))
    return torch.nn.functional.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def wider(logits: Tensor, more: int) -> Tensor:
    """The logits with `more` classes of probability 0."""
    return torch.nn.functional.pad(logits, (0, more), value=-1e4)


class Logits(torch.nn.Module):
    """A model whose result is its input, or the given logits."""

    pretrained_cfg: ClassVar = {"mean": (0.0,), "std": (1.0,)}
    num_classes, in_chans = 10, 1

    def __init__(self, given: Tensor | None = None) -> None:
        super().__init__()
        self.given = given

    def forward(self, logits: Tensor) -> Tensor:
        """The logits."""
        return logits if self.given is None else self.given + 0  # its own, as that of a network


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Says which package is missing; every other error keeps its traceback."""
    if not isinstance(error, ModuleNotFoundError):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(f"{error.name} is not installed: docs/probe-survey.md says how.\n")


def _stand_in() -> None:
    """Puts the stand-ins where the real things are missing."""
    torchvision = importlib.util.find_spec("torchvision")
    if torchvision is not None and torchvision.origin is not None:
        try:
            torch.ops.load_library(str(Path(torchvision.origin).with_name("_C.so")))
        except OSError:
            for name in ("nms", "qnms"):
                _operators.define(f"{name}(Tensor boxes, Tensor scores, float limit) -> Tensor")
    if importlib.util.find_spec("wandb") is None:
        sys.modules["wandb"] = ModuleType("wandb")
        sys.modules["wandb"].__spec__ = ModuleSpec("wandb", None)
    sys.modules["KD_Lib.KD.text"] = MagicMock()


_operators = torch.library.Library("torchvision", "FRAGMENT")
_stand_in()
sys.excepthook = _one_line

_random = torch.Generator().manual_seed(0)
student, teacher = torch.randn(2, 64, 10, generator=_random) * 3
labels = torch.randint(10, (64,), generator=_random)
