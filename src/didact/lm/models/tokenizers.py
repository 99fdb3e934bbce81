"""Whether a folder has the tokenizer of its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from didact._core.errors import ModelError
from didact._core.optional import require

KNOWN = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")
"""Files that hold a vocabulary, whatever the class of the tokenizer says of itself."""
LOOKED_AT = 256
"""Texts by which it is judged whether a tokenizer knows the words."""
MANY = 0.5
"""Share of unknown tokens from which on a word is said."""


def read_tokenizer_of(folder: Path) -> Any:
    """The tokenizer in a model's folder; nothing is fetched, no code of the folder is run.

    Without a vocabulary transformers would make one up that knows no word.

    Raises:
        ModelError: The folder has no vocabulary.
    """
    library = require("transformers", extra="transformers")
    own: tuple[str, ...] = ("tokenizer.json", "vocab.txt")
    try:
        found = library.AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
        own = tuple((found.vocab_files_names or {}).values())  # one of bytes has none
    except Exception:
        if _has_one(folder, KNOWN):
            raise
    if own and not _has_one(folder, (*own, *KNOWN)):
        names = " / ".join(sorted({*own, "tokenizer.json"}))
        raise ModelError(
            f"{folder} holds a model without its tokenizer; expected {names} beside it: copy them "
            "from where the model is from, or save them with tokenizer.save_pretrained"
        )
    return found


def _has_one(folder: Path, names: Sequence[str]) -> bool:
    return any(next(folder.glob(name), None) for name in names)


def rows_of(model: nn.Module) -> int | None:
    """Ids that a model of transformers has a vector for; None where that cannot be seen."""
    try:
        table = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None
    weight = getattr(table, "weight", None)
    return None if weight is None else int(weight.shape[0])


def _unknown(tokenizer: Any) -> int | None:
    """The id for what has no token."""
    if not hasattr(tokenizer, "encode_batch"):
        found = getattr(tokenizer, "unk_token_id", None)
    else:
        name = getattr(tokenizer.model, "unk_token", None)
        found = None if name is None else tokenizer.token_to_id(name)
    return None if found is None else int(found)


def _ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    if hasattr(tokenizer, "encode_batch"):
        return [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return list(tokenizer(texts, add_special_tokens=False)["input_ids"])


def notes_on_tokenizer(
    name: str, tokenizer: Any, rows: int | None, texts: Sequence[str]
) -> list[str]:
    """What a user should know of a tokenizer beside its model, a line each.

    Args:
        name: Of the model, as the user typed it.
        tokenizer: Of transformers or tokenizers.
        rows: Ids that the model has a vector for, where that is known.
        texts: That are to be read.
    """
    said, count = [], len(tokenizer.get_vocab())
    if rows is not None and count > rows:
        said.append(
            f"warning: the tokenizer of {name} has {count} tokens and the model vectors "
            f"for {rows}; they may not belong together"
        )
    unknown = _unknown(tokenizer)
    if unknown is None or not texts:
        return said
    some = [text[:1000] for text in texts[:: max(1, len(texts) // LOOKED_AT)][:LOOKED_AT]]
    ids = [n for row in _ids(tokenizer, some) for n in row]
    share = sum(n == unknown for n in ids) / max(1, len(ids))
    if share > MANY:
        said.append(
            f"warning: {100 * share:.0f} % of the tokens are unknown to the tokenizer of {name}; "
            "it cannot tell these texts from each other"
        )
    return said
