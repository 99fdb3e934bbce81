"""timm's pretrained models as teachers, with the normalisation and size they were trained on."""

from __future__ import annotations

from typing import Any

from didact._core.errors import ModelError
from didact._core.optional import require


def timm_teacher(name: str, **create: Any) -> dict[str, Any]:
    """A model of timm in eval mode, and what it wants to see, as ``distill(teacher=...)`` takes it.

    Args:
        name: As ``timm.list_models(pretrained=True)`` has it.
        create: Further arguments of ``timm.create_model``; ``pretrained`` is True by default,
            ``num_classes`` and ``checkpoint_path`` are for a model that was fine-tuned.

    Returns:
        ``{"model": ..., "normalise": (mean, std), "input_size": (height, width)}``.

    Raises:
        MissingDependencyError: timm is not installed.
        ModelError: timm cannot make it.

    Example:
        >>> from didact.train import distill
        >>> distill(data="folder:photos", teacher=timm_teacher(  # doctest: +SKIP
        ...     "resnet50", num_classes=12, checkpoint_path="fine-tuned.pth"))
    """
    timm = require("timm", extra="timm")
    try:
        model = timm.create_model(name, **{"pretrained": True} | create)
        wanted = timm.data.resolve_model_data_config(model)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise ModelError(f"timm cannot make {name!r}: {error}") from error
    _, height, width = wanted["input_size"]
    return {
        "model": model.eval(),
        "normalise": (tuple(wanted["mean"]), tuple(wanted["std"])),
        "input_size": (height, width),
    }
