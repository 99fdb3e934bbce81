"""From a wrapper around a model to the model itself."""

from __future__ import annotations

from torch import nn

_WRAPPERS = {
    ("torch.nn.parallel.distributed", "DistributedDataParallel"): "module",
    ("torch.nn.parallel.data_parallel", "DataParallel"): "module",
    ("torch._dynamo.eval_frame", "OptimizedModule"): "_orig_mod",
    ("lightning_fabric.wrappers", "_FabricModule"): "module",
}


def unwrap(model: nn.Module) -> nn.Module:
    """The user's own model under DDP, DataParallel, ``torch.compile`` and Fabric wrappers.

    Example:
        >>> from torch import nn
        >>> from didact.nn import unwrap
        >>> model = nn.Linear(2, 2)
        >>> unwrap(nn.DataParallel(model)) is model
        True
    """
    while attribute := _attribute(model):
        model = getattr(model, attribute)
    return model


def _attribute(model: nn.Module) -> str | None:
    for kind in type(model).__mro__:
        if attribute := _WRAPPERS.get((kind.__module__, kind.__name__)):
            return attribute
    return None
