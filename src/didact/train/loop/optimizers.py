"""PyTorch's optimisers without what ties them to its compiler.

The methods of an optimiser import ``torch._dynamo`` at their first call, in case somebody compiles
the step; that import takes longer than the one of PyTorch. The loops here compile models only.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import optim

_TIED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")


def _untied(kind: type[optim.Optimizer]) -> Any:
    own = {name: inspect.unwrap(getattr(kind, name)) for name in _TIED}
    own["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), own)


SGD: type[optim.SGD] = _untied(optim.SGD)
Adam: type[optim.Adam] = _untied(optim.Adam)
AdamW: type[optim.AdamW] = _untied(optim.AdamW)
