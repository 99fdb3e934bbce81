"""Training of the models that come with the program, and of better ones from real data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from didact_plates.errors import PlatesError
from didact_plates.texts import say
from didact_plates.train.making import QUICK, Material, Plan, train_network, write_reader
from didact_plates.train.real import named_crops, shapes_of

MODEL = "student.safetensors"

__all__ = ["MODEL", "QUICK", "Material", "Plan", "main", "train_network"]


def main(
    output: Path,
    real: Path | None = None,
    photographs: Path | None = None,
    *,
    quick: bool = False,
    seed: int = 0,
    seconds: float = float("inf"),
    tell: Callable[[str], None] = print,
) -> int:
    """Train a reader and write it to ``output/student.safetensors``.

    Without ``real`` and ``photographs`` from drawn plates alone: the model that comes with the
    program.

    Args:
        output: The folder for the model. ``training.pt`` in it is an unfinished run, which goes on.
        real: EasyPR's characters (``.npz``): every second plate is drawn with their shapes.
        photographs: A folder of cut plates, each file named by its text (``京A12345.jpg``); they
            are a third of what is trained on.
        quick: A few seconds of training, to see that all works; the model reads nothing.
        seed: Of weights and plates.
        seconds: Stop after the round in which this time is over; the same call goes on.
        tell: Gets lines about the progress.

    Returns:
        0 with the model written, 1 where the time was over before.

    Raises:
        PlatesError: ``real`` or ``photographs`` are something else; ``output`` cannot be written,
            or holds an unfinished run with other settings.
    """
    material = Material(
        cut=shapes_of(real) if real is not None else None,
        crops=tuple(named_crops(photographs)) if photographs is not None else (),
    )
    plan = QUICK if quick else Plan()
    if output.exists() and not output.is_dir():
        raise PlatesError(say("{folder} is a file; expected a folder", folder=output))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlatesError(
            say("{folder} cannot be written: {reason}", folder=output, reason=error.strerror)
        ) from error
    state = output / "training.pt"
    network = train_network(
        plan, material=material, seed=seed, state=state, seconds=seconds, tell=tell
    )
    if network is None:
        return 1
    write_reader(network, output / MODEL, plan.calibrate)
    state.unlink(missing_ok=True)
    return 0
