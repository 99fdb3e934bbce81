"""From a run folder or a model's file to something that says what images show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from didact._core.errors import CheckpointError, DataError, ModelError, RunFolderError, UsageError
from didact.data.loading.image_files import SUFFIXES, read_images
from didact.nn import OnnxModel, Weights, build_model, load_weights
from didact.train.learning.learner import FILE, Learner
from didact.train.learning.load import learner_of_run
from didact.train.loop.export import WithNormalisation
from didact.train.loop.models import LIBRARIES, read_model_header
from didact.train.loop.settings import names_code
from didact.train.record.files import read_object, read_tensors
from didact.train.record.run_folder import (
    MODEL,
    MODEL_ONNX,
    ONNX,
    RESULT,
    SETTINGS,
    STUDENT,
    RunFolder,
)
from didact.train.record.trust import ask_for_trust

AT_ONCE = 64


@dataclass(frozen=True)
class Prediction:
    """What is said of one image, or of one sentence.

    Attributes:
        file: The image, or the sentence.
        classes: Name and probability of the likeliest classes, the first one first; of a model of
            numbers, the name and the value of each. None where the file could not be read.
        error: Why the file could not be read.
    """

    file: Path | str
    classes: tuple[tuple[str, float], ...]
    error: str | None = None


@dataclass(frozen=True)
class Predictor:
    """What answers for images.

    Attributes:
        source: The file that it was made from.
        class_names: One for each output.
        image_shape: Channels, height and width that it takes.
        answer: From images ``[N, C, H, W]`` in 0..1 to scores ``[N, classes]``.
        task: Of ``didact.data.TASKS``: what the outputs are.
    """

    source: Path
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...]
    answer: Callable[[Tensor], Tensor]
    task: str = "single-label"

    def predict(
        self, files: Sequence[Path], *, top: int = 1, keep_going: bool = False
    ) -> Iterator[Prediction]:
        """What each image shows, in the order of the files.

        Args:
            files: They are scaled until they cover the model's size and cut at the centre.
            top: How many classes are named for each.
            keep_going: Whether a file that cannot be read has an ``error`` in its place.

        Raises:
            DataError: A file cannot be read, unless ``keep_going``; or the model takes no images.
        """
        for start in range(0, len(files), AT_ONCE):
            part = files[start : start + AT_ONCE]
            try:
                images = read_images(part, self.image_shape)
            except DataError as error:
                if not keep_going or len(self.image_shape) != 3:
                    raise
                if len(part) == 1:
                    yield Prediction(part[0], (), str(error))
                else:
                    for file in part:
                        yield from self.predict([file], top=top, keep_going=True)
                continue
            for file, row in zip(part, self.values(images.float() / 255), strict=True):
                yield Prediction(file, self._named(row, top))

    @torch.no_grad()
    def values(self, images: Tensor) -> Tensor:
        """Probabilities ``[N, classes]`` of images in 0..1; the numbers of a model of numbers."""
        scores = self.answer(images).float()
        if self.task == "regression":
            return scores
        return scores.sigmoid() if self.task == "multi-label" else scores.softmax(-1)

    def _named(self, row: Tensor, top: int) -> tuple[tuple[str, float], ...]:
        if self.task == "regression":
            return tuple(zip(self.class_names, row.tolist(), strict=True))
        found = row.topk(min(top, len(row)))
        named = zip(found.indices.tolist(), found.values.tolist(), strict=True)
        return tuple((self.class_names[column], value) for column, value in named)


def load_predictor(
    place: str | Path,
    *,
    method: str | None = None,
    seed: int | None = None,
    trust: bool = False,
) -> Predictor:
    """What answers for images with what a run has trained.

    Args:
        place: The folder of a run of ``distill`` or ``learn``; an ONNX file; or a
            ``.safetensors`` file of didact: a student, a network or a learner.
        method: Of a run of ``learn``, another method than the one that it hands on.
        seed: Likewise.
        trust: Whether code that the run or the file names may be imported although this user did
            not start the run.

    Returns:
        Of a folder the ONNX file where there is one and onnxruntime is installed.

    Raises:
        CheckpointError: There is no such file, or it is damaged.
        ModelError: The file does not say what the model takes.
        TrustError: Code is named, and ``trust`` is false where it matters.
    """
    path = Path(place).expanduser()
    if path.is_dir():
        return _of_run(path, method, seed, trust=trust)
    if method is not None or seed is not None:
        raise UsageError(f"{path} is one model; --method and --seed choose one of a run folder")
    if not path.is_file():
        raise CheckpointError(f"there is no run folder or file {path}")
    if path.suffix == ".onnx":
        return _of_onnx(path)
    if path.suffix != ".safetensors":
        raise CheckpointError(
            f"{path} is no model that says its classes; expected a run folder, an ONNX file or a "
            ".safetensors file of didact"
        )
    if path.name == FILE:
        ask_for_trust(path.parent, _code_in(path), trust=trust)
        return _of_learner(path, Learner.load(path))
    return _of_weights(path, trust=trust)


def _of_run(folder: Path, method: str | None, seed: int | None, *, trust: bool) -> Predictor:
    if not (folder / SETTINGS).is_file():
        raise RunFolderError(f"{folder} is not a run folder: it has no {SETTINGS}")
    said = RunFolder.open(folder).settings()
    if said.get("recipe") in ("text", "encoder"):
        raise UsageError(
            f"{folder} is a run of didact distill --recipe {said['recipe']}, not on images"
        )
    learnt = "teacher" not in said
    onnx, weights = (MODEL_ONNX, MODEL) if learnt else (ONNX, STUDENT)
    if not learnt and (method is not None or seed is not None):
        raise UsageError(f"{folder} is a run of didact distill; --method and --seed are of learn")
    chosen = method is not None or seed is not None
    if not chosen and (folder / onnx).is_file() and find_spec("onnxruntime") is not None:
        return _of_onnx(folder / onnx)
    if learnt:
        learner = learner_of_run(folder, method, seed, trust=trust)
        return _of_learner(folder, learner)
    if not (folder / weights).is_file():
        raise RunFolderError(
            f"{folder} has no {weights} yet; go on with: didact distill --resume {folder}"
        )
    result = folder / RESULT
    task = str(read_object(result).get("task", "single-label")) if result.is_file() else ""
    return _of_weights(folder / weights, trust=trust, task=task or "single-label")


def _of_onnx(path: Path) -> Predictor:
    model = OnnxModel(path)
    shape = model.image_shape
    if shape is None:
        raise ModelError(
            f"{path} does not say which size of images it takes; export it with a fixed height "
            "and width"
        )
    names = model.class_names
    if names is None:
        count = model(torch.zeros(1, *shape)).shape[-1]
        names = tuple(str(number) for number in range(count))
    return Predictor(path, names, shape, model, model.task)


def _of_learner(path: Path, learner: Learner) -> Predictor:
    data = learner.data
    whole = _Answers(learner)
    return Predictor(path, data.class_names, data.image_shape, whole)


class _Answers:
    """A learner, given images in 0..1."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def __call__(self, images: Tensor) -> Tensor:
        return self.learner.scores(images)


def _of_weights(path: Path, *, trust: bool, task: str = "single-label") -> Predictor:
    _, header = read_model_header(path)
    parts = (header.model, header.image_shape, header.mean, header.std, header.class_names)
    if None in parts:
        raise ModelError(
            f"{path} does not say its model, size of images, normalisation and classes; expected "
            "a file that didact wrote"
        )
    name, shape = str(header.model), tuple(header.image_shape or ())
    names = tuple(header.class_names or ())
    ask_for_trust(path.parent, [name] if names_code(name, LIBRARIES) else [], trust=trust)
    model: nn.Module = build_model(name, image_shape=shape, num_classes=len(names))
    load_weights(model, Weights(read_tensors(path)[0]), what=str(path))
    mean, std = tuple(header.mean or ()), tuple(header.std or ())
    whole = WithNormalisation(model, mean, std, len(shape)).eval()
    return Predictor(path, names, shape, whole, task)


def _code_in(path: Path) -> list[str]:
    """The names of the user's own code in a learner's file."""
    from didact.methods import METHODS

    about = read_tensors(path)[1]
    method, model = str(about.get("method")), str(about.get("model"))
    found = [method] if names_code(method, METHODS) else []
    return found + ([model] if names_code(model, LIBRARIES) else [])


def image_files(places: Sequence[Path]) -> list[Path]:
    """Files as they are, and the images below folders, in the order of their names.

    Raises:
        UsageError: There is no such file or folder, or no image in a folder.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UsageError(f"there is no image file or folder {place}")
        inside = [place]
        if place.is_dir():
            inside = sorted(f for f in place.rglob("*") if f.suffix.lower() in SUFFIXES)
        if not inside:
            raise UsageError(
                f"{place} has no image; expected files that end in {', '.join(sorted(SUFFIXES))}"
            )
        found += inside
    return found
