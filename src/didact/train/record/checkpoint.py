"""What a killed run goes on from: model, optimiser, position and random state in one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from didact._core import digest
from didact._core.errors import CheckpointError, DidactError
from didact.train.record.files import read_tensors, remove, write_tensors

Json = dict[str, Any]


@dataclass
class Position:
    """How far one arm of one seed has come.

    Attributes:
        epoch: Epochs that are complete.
        step: Steps done in the epoch under way.
        loss_sum: Sum of the losses of the steps of the epoch under way.
        seconds: Training time so far.
        best: Highest validation accuracy so far and its epoch.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    best: tuple[float, int] = (-1.0, 0)

    @property
    def sums(self) -> dict[str, float]:
        """The sum as the training loop has it, by term; empty at the start of an epoch."""
        return {"loss": self.loss_sum} if self.step else {}

    @sums.setter
    def sums(self, sums: dict[str, float]) -> None:
        self.loss_sum = sums.get("loss", 0.0)

    def end_epoch(self) -> None:
        """Count the epoch and forget its sums."""
        self.epoch, self.step, self.loss_sum = self.epoch + 1, 0, 0.0


@dataclass
class Snapshot:
    """The state of one arm of one seed."""

    position: Position
    model: dict[str, Tensor]
    optimizer: Json = field(default_factory=dict)
    best_model: dict[str, Tensor] | None = None


class PartOf:
    """What a part of a run was computed with; it is kept with the part and compared on resuming.

    Args:
        settings: All that decides its numbers.
        data: The digest of its data; None where nothing is to be compared.
    """

    def __init__(self, settings: Json, data: str | None) -> None:
        self.settings, self.data = settings, data

    def as_json(self, **part: str | int) -> Json:
        """What is written with the part; ``part`` says which of the run it is."""
        settings = self.settings
        return {
            **part,
            "fingerprint": fingerprint_of(settings),
            "settings": settings,
            "data_digest": self.data,
        }

    def refuse_other(self, path: Path, stored: Json, **part: str | int) -> None:
        """Refuse a part that was computed with something else, or is another part of the run.

        Raises:
            CheckpointError: It was; the message names what differs.
        """
        for name, wanted in part.items():
            if stored.get(name, wanted) != wanted:
                raise CheckpointError(
                    f"{path} holds {name} {stored[name]!r}; expected {wanted!r}. It is the file of "
                    "another part of the run under a wrong name; put the right one back, or "
                    "remove it, and its part is computed again"
                )
        if stored.get("fingerprint") != fingerprint_of(self.settings):
            raise CheckpointError(
                f"{path} was written with other settings than this run's run.toml"
                f"{_differences(stored.get('settings'), self.settings)}; numbers of both would be "
                "mixed. Put run.toml back as it was, or start a run of its own with --config"
            )
        known = stored.get("data_digest")
        if None not in (self.data, known) and known != self.data:
            raise CheckpointError(
                f"{path} was computed on other data than what is there now (digest "
                f"{str(known)[:16]}, now {str(self.data)[:16]}); put the data back, or "
                "start a run of its own"
            )


def fingerprint_of(settings: Json) -> str:
    """Sixteen hexadecimal digits of settings, whatever their order."""
    return digest.of_text(json.dumps(settings, sort_keys=True), 16)


def _differences(stored: object, now: Json) -> str:
    """`` (epochs is 9, was 8)`` for what differs, as far as it is known."""
    if not isinstance(stored, dict):
        return ""
    differ = [name for name in sorted({*stored, *now}) if stored.get(name) != now.get(name)]
    said = [f"{name} is {now.get(name)!r}, was {stored.get(name)!r}"[:200] for name in differ]
    return f" ({'; '.join(said)})" if said else ""


class Checkpoints:
    """The ``checkpoint/`` folder: ``<arm>.<seed>.part`` while training, ``.done`` after."""

    def __init__(self, folder: Path, part_of: PartOf) -> None:
        self.folder, self.part_of = folder, part_of

    def save(self, arm: str, seed: int, snapshot: Snapshot) -> None:
        """Write the state of an arm under way, with the random state of this process."""
        tensors = {f"model.{name}": value for name, value in snapshot.model.items()}
        tensors |= random_state()
        if snapshot.best_model is not None:
            tensors |= {f"best.{name}": value for name, value in snapshot.best_model.items()}
        optimizer_tensors, optimizer_rest = flatten_optimizer(snapshot.optimizer)
        tensors |= optimizer_tensors
        about = {
            **self.part_of.as_json(arm=arm, seed=seed),
            "position": vars(snapshot.position),
            "optimizer": optimizer_rest,
        }
        write_tensors(self._part(arm, seed), tensors, about)

    def load(self, arm: str, seed: int) -> Snapshot | None:
        """The state of an arm under way, or None; this restores the random state too.

        Raises:
            CheckpointError: The file is damaged, or another run's.
        """
        path = self._part(arm, seed)
        if not path.is_file():
            return None
        tensors, about = read_tensors(path)
        self.part_of.refuse_other(path, about, arm=arm, seed=seed)
        with refused_if_malformed(path):
            restore_random_state(tensors)
            position = Position(**about["position"])
            position.best = (float(position.best[0]), int(position.best[1]))
            optimizer = unflatten_optimizer(with_prefix(tensors, "optimizer."), about["optimizer"])
        return Snapshot(
            position=position,
            model=with_prefix(tensors, "model."),
            optimizer=optimizer,
            best_model=with_prefix(tensors, "best.") or None,
        )

    def finish(self, arm: str, seed: int, model: Mapping[str, Tensor], about: Json) -> None:
        """Write the final state of an arm; ``about`` comes back from :meth:`finished`."""
        write_tensors(
            self._done(arm, seed), model, about | self.part_of.as_json(arm=arm, seed=seed)
        )
        remove(self._part(arm, seed))

    def finished(self, arm: str, seed: int) -> tuple[dict[str, Tensor], Json] | None:
        """The final state of an arm and what was said about it, or None if it is not done.

        Raises:
            CheckpointError: The file is damaged, or another run's.
        """
        path = self._done(arm, seed)
        if not path.is_file():
            return None
        tensors, about = read_tensors(path)
        self.part_of.refuse_other(path, about, arm=arm, seed=seed)
        return tensors, about

    def _part(self, arm: str, seed: int) -> Path:
        return self.folder / f"{arm}.{seed}.part"

    def _done(self, arm: str, seed: int) -> Path:
        return self.folder / f"{arm}.{seed}.done"


@contextmanager
def refused_if_malformed(path: Path) -> Iterator[None]:
    """A file whose parts are missing or of another kind is refused in one sentence.

    Raises:
        CheckpointError: Instead of what its use would have raised.
    """
    try:
        yield
    except DidactError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise digest.damaged(path, f"a part of it is missing or wrong ({reason})") from error


def random_state() -> dict[str, Tensor]:
    """Torch's random state, as tensors."""
    found = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        found["random.cuda"] = torch.cuda.get_rng_state()
    return found


def restore_random_state(tensors: Mapping[str, Tensor]) -> None:
    """Go on with the random numbers where they were."""
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])


def model_state(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the model's parameters and buffers on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, by the rest of the name."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def flatten_optimizer(state: Json) -> tuple[dict[str, Tensor], Json]:
    """An optimiser's state as named tensors and the rest as JSON."""
    tensors: dict[str, Tensor] = {}
    rest: Json = {"groups": state.get("param_groups", []), "numbers": {}}
    for index, entries in state.get("state", {}).items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
            else:
                rest["numbers"][f"{index}.{name}"] = value
    return tensors, rest


def unflatten_optimizer(tensors: Mapping[str, Tensor], rest: Json) -> Json:
    """What :func:`flatten_optimizer` took apart."""
    state: dict[int, Json] = {}
    for key, value in {**rest["numbers"], **tensors}.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": rest["groups"]} if rest["groups"] else {}
