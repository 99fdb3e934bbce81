"""A language model and its tokenizer, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from didact._core.errors import ModelError
from didact._core.optional import require
from didact.lm.models.tokenizers import read_tokenizer_of


def read_transformers(folder: str | Path, *, tokenizer: Any = None) -> tuple[nn.Module, Any]:
    """A causal language model of transformers and its tokenizer, from a folder alone.

    Nothing is fetched, and no code that may lie in the folder is run.

    Args:
        folder: Where they are.
        tokenizer: In place of the folder's own.

    Raises:
        ModelError: The folder holds no such model, or not its tokenizer.
        MissingDependencyError: transformers is not installed.
    """
    library = require("transformers", extra="transformers")
    place = Path(folder)
    if not (place / "config.json").is_file():
        raise ModelError(f"{place} holds no model of transformers: it has no config.json")
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = library.AutoModelForCausalLM.from_pretrained(str(place), **options)
        own = read_tokenizer_of(place) if tokenizer is None else tokenizer
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"{place} cannot be read by transformers: {error}") from None
    model.eval()
    return model, own
