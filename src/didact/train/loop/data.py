"""The data of a run, as its settings want them."""

from __future__ import annotations

from didact.data import Data, load
from didact.train.loop.settings import SharedSettings


def data_of(settings: SharedSettings, given: str | Data, seed: int) -> Data:
    """What was given, or what the name stands for, split for a seed.

    Raises:
        DidactError: A name, file or folder that cannot be used.
    """
    if isinstance(given, Data):
        return given
    return load(
        given,
        data_dir=settings.data_dir,
        seed=seed,
        validation=settings.validation,
        labelled=settings.labelled,
        label_noise=settings.label_noise,
    )
