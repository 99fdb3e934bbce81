"""A method with what makes it a classifier: the names of its classes and how images come to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import torch
from pydantic import Field, ValidationError, model_validator
from torch import Tensor

from didact._core.digest import damaged
from didact._core.errors import DataError, ModelError, UnknownNameError, UsageError
from didact.data import Data, Known, Split, Stream, Task, continue_stream
from didact.data.loading.image_files import read_images
from didact.data.loading.statistics import channel_statistics
from didact.data.splits.labels import distinct
from didact.data.streams.continuing import coloured
from didact.methods import Method, MethodEntry, build_options, find_method
from didact.methods.kit.frozen import FrozenBackbone
from didact.nn import Normalisation, state_as_it_came
from didact.train.learning.build import memory_of, setting_of, stream_of
from didact.train.learning.evaluate import TestSets
from didact.train.learning.fit import MethodRun
from didact.train.learning.networks import FEATURES, NetworkSource, bare_data, find_network
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import LearnPosition, StateFile, load_method, method_tensors
from didact.train.learning.task_run import GROW, learn_tasks
from didact.train.loop.data import data_of
from didact.train.loop.fabric import Fabric, make_fabric
from didact.train.loop.fit import RunContext, SaveClock
from didact.train.loop.models import ModelHeader, ModelLike, name_of
from didact.train.loop.schedule import seed_everything
from didact.train.record.checkpoint import PartOf, refused_if_malformed
from didact.train.record.files import read_tensors, write_tensors
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.result import Part, first_of
from didact.train.record.run_folder import RunFolder

NEVER = 1e18
Json = dict[str, Any]
FILE = "learner.safetensors"


class LearnerHeader(Part):
    """What the file of a learner says beside its tensors."""

    method: str = Field(max_length=1000)
    seed: int
    settings: dict[str, Any]
    model: str = Field(max_length=1000)
    image_shape: list[int] = Field(min_length=1, max_length=3)
    mean: list[float] = Field(min_length=1)
    std: list[float] = Field(min_length=1)
    class_names: list[str] = Field(min_length=1)
    tasks: list[list[int]] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> LearnerHeader:
        columns = {column for task in self.tasks for column in task}
        if columns != set(range(len(self.class_names))):
            raise ValueError("the columns of the tasks are not those of the classes")
        if min(self.std) <= 0 or len(self.mean) != len(self.std):
            raise ValueError("mean and std are not one number for each channel, std above 0")
        return self


class Learner:
    """A method that learns one task after another, with the names of its classes.

    ``didact learn`` runs one for each method and seed; by hand it is used like this.

    Args:
        method: A name (see ``didact list methods``), ``"pkg.mod:Name"`` or ``"file.py:Name"``.
        model: A model name, ``NAME=WEIGHTS``, or a function ``(data, classes)`` that builds a
            network; ``"features"`` where samples are features already, for :meth:`partial_fit`.
        seed: Of all random numbers.
        changes: Fields of :class:`LearnSettings`, such as ``epochs``, ``memory``, ``normalise``.

    Attributes:
        name: Of the method.
        seed: Of its run.
        settings: Of its run; what a further task is learned with.
        source: Where the network comes from.
        tasks: The columns of each task so far.

    Raises:
        DidactError: A name or a setting that cannot be used.

    Example:
        >>> from didact.train import Learner
        >>> learner = Learner("simplecil", model="features")
        >>> _ = learner.partial_fit([[0.0, 1.0], [0.1, 0.9]], ["cat", "cat"])
        >>> _ = learner.partial_fit([[1.0, 0.0]], ["owl"])
        >>> learner.predict([[0.9, 0.2]])
        ['owl']
    """

    def __init__(
        self, method: str, *, model: ModelLike = "mlp", seed: int = 0, **changes: Any
    ) -> None:
        self.name, self.seed = method, seed
        self.settings = LearnSettings.build(
            **{"method": (method,), "seeds": (seed,), "model": name_of(model), **changes}
        )
        if self.settings.known is not None or self.settings.continues is not None:
            raise UsageError(
                "known and continues are for didact.train.learn and continue_learning; "
                "Learner.load brings what they leave back"
            )
        self.source = find_network(model)
        self.tasks: list[tuple[int, ...]] = []
        self._method: Method | None = None
        self._data: Data | None = None

    @classmethod
    def new(
        cls,
        name: str,
        seed: int,
        settings: LearnSettings,
        source: NetworkSource,
        data: Data,
        *,
        entry: MethodEntry | None = None,
        fabric: Fabric | None = None,
    ) -> Self:
        """A learner before its first task, of parts that were found already."""
        learner = cls.__new__(cls)
        learner.name, learner.seed = name, seed
        learner.settings, learner.source, learner.tasks = settings, source, []
        learner._prepare(data, entry, fabric)
        return learner

    def _prepare(
        self, data: Data, entry: MethodEntry | None = None, fabric: Fabric | None = None
    ) -> None:
        """Make the method for images of this kind."""
        found, place = entry or find_method(self.name), fabric or make_fabric()
        setting = setting_of(self.seed, self.settings, self.source, data, place)
        options = build_options(found, self.settings.options_of(self.name))
        self._method = found.method(options, setting, memory_of(self.settings, found))
        self._data = data

    @property
    def method(self) -> Method:
        """The method itself: networks, exemplars, and what else it keeps."""
        if self._method is None:
            raise UsageError("the learner has learned nothing yet; call fit first")
        return self._method

    @property
    def data(self) -> Data:
        """What images come in and which classes there are; without any image."""
        if self._data is None:
            raise UsageError("the learner has learned nothing yet; call fit first")
        return self._data

    def fit(self, task: TaskLike, labels: Labels | None = None) -> Self:
        """Learn one task: classes that are new, and any that come back.

        Args:
            task: A folder of class folders, a source name, a :class:`didact.data.Data`, datasets
                ``(train, test)``; or images as in :meth:`scores`, with ``labels``.
            labels: The name of each image's class.

        Returns:
            The learner itself.

        Raises:
            DataError: Images of another shape than before.
            UsageError: A method that wants the images of all tasks at once.
        """
        stream = self._stream(self._as_data(task, labels))
        entry = find_method(self.name)
        if stream.past and entry.method.sees_all_tasks:
            raise UsageError(
                f"{self.name} learns from the images of all tasks at once, and earlier ones are "
                "gone; take another method, or didact learn"
            )
        if self._method is None:
            self._prepare(learner_data(stream), entry)
        self._data = learner_data(stream)
        with TemporaryDirectory() as folder:
            run = self._by_hand(Path(folder))
            learn_tasks(run, stream, TestSets(stream, self.method.setting.device, 1))
        self.method.eval()
        return self

    def _by_hand(self, folder: Path) -> MethodRun:
        """A run of this learner that leaves nothing behind."""
        fabric = make_fabric(precision=self.settings.precision)
        place = RunFolder(folder)
        context = RunContext("", fabric, self.settings, place, Log(None, total=1), Stopper())
        return MethodRun(
            name=self.name,
            seed=self.seed,
            context=context,
            folder=place,
            state=StateFile(folder, PartOf({}, None), self.seed),
            position=LearnPosition(task=len(self.tasks)),
            method=self.method,
            tasks=self.tasks,
            clock=SaveClock(NEVER),
        )

    def _stream(self, data: Data) -> Stream:
        """The task behind those so far; nothing is measured while it is learned."""
        if not self.tasks:
            settings = self.settings.changed(
                base=None, step=None, groups=None, tasks=1, class_order="natural"
            )
            stream = stream_of(settings, data, self.seed, None, self._normalisation())
        else:
            own = self.data
            known = Known(own.class_names, tuple(self.tasks), own.mean, own.std, own.image_shape)
            names = [data.class_names[label] for label in distinct(data.train.labels)]
            stream = continue_stream(data, known, groups=[names], seed=self.seed)
        return replace(stream, tests=[])

    def _normalisation(self) -> Normalisation | None:
        return normalisation_of(self.settings.normalise, self.source.header)

    def evaluate(self, task: TaskLike, labels: Labels | None = None) -> dict[str, Any]:
        """Accuracy on test images, all together and class by class.

        Args:
            task: As in :meth:`fit`; the test images count.
            labels: Likewise.

        Returns:
            ``{"accuracy": 0.9, "images": 20, "classes": {"cat": 1.0, "owl": 0.8}}``.

        Raises:
            DataError: A class that was never learned.
        """
        data = self._as_data(task, labels)
        names = [data.class_names[label] for label in data.test.labels.tolist()]
        if unknown := sorted(set(names) - set(self.class_names)):
            raise DataError(
                f"class {unknown[0]!r} was not learned; known are {', '.join(self.class_names)}"
            )
        images = coloured(data.test, self.data.image_shape[0])
        if images.image_shape != self.data.image_shape:
            raise DataError(
                f"the images are {images.image_shape}; expected {self.data.image_shape}, as those "
                "that were learned from"
            )
        found = self.method.map_images(images, self.method.predict).argmax(-1).tolist()
        right = [self.class_names[c] == name for c, name in zip(found, names, strict=True)]
        of_class: dict[str, list[bool]] = {}
        for name, one in zip(names, right, strict=True):
            of_class.setdefault(name, []).append(one)
        return {
            "accuracy": sum(right) / len(right),
            "images": len(right),
            "classes": {name: sum(ones) / len(ones) for name, ones in sorted(of_class.items())},
        }

    def partial_fit(self, features: Any, labels: Labels) -> Self:
        """Learn from features instead of images, as many or few at a time as there are.

        For the methods that train no network (``slda``, ``ranpac``, ``simplecil``), with
        ``model="features"``. Their statistics are sums: it does not matter how samples are
        portioned, but for ``ranpac``, which chooses its penalty by the last portion.

        Args:
            features: Numbers ``(samples, width)``.
            labels: The name of each sample's class.

        Returns:
            The learner itself.

        Raises:
            UsageError: A method that trains a network, or another ``model``.
            DataError: Features of another width than before, or NaN or infinity among them.
        """
        if self.source.architecture != FEATURES:
            raise UsageError('features are learned with model="features"; images with fit')
        rows = torch.as_tensor(np.asarray(features), dtype=torch.float32)
        names = [str(label) for label in labels]
        if rows.dim() != 2 or len(rows) != len(names) or not names:
            raise DataError(
                f"features are {tuple(rows.shape)} and there are {len(names)} labels; expected "
                "(samples, width) and one label for each sample"
            )
        rows = _finite(rows, "features")
        known = () if self._data is None else self.class_names
        wide = (*known, *dict.fromkeys(name for name in names if name not in known))
        width = rows.shape[1]
        data = bare_data(FEATURES, (width,), wide, (0.0,) * width, (1.0,) * width)
        if self._method is None:
            self._prepare(data)
        if not isinstance(self.method, FrozenBackbone):
            raise UsageError(
                f"{self.name} trains a network; features are learned by slda, ranpac or simplecil"
            )
        if self.data.image_shape != (width,):
            raise DataError(f"features are {width} wide; expected {self.data.image_shape[0]}")
        self._data = data
        columns = torch.tensor([wide.index(name) for name in names])
        self._observe(Split(rows, columns), len(known), len(wide))
        return self

    def _observe(self, split: Split, known: int, seen: int) -> None:
        """A task where a class is new, more of the last one where none is."""
        columns = tuple(distinct(split.labels))
        index = len(self.tasks) if seen > known else len(self.tasks) - 1
        method = self.method
        method.task = Task(index, columns, columns, known, seen, split)
        if seen > known:
            seed_everything(self.seed, GROW, index)
            method.grow(method.task)
            self.tasks.append(columns)
        method.after_task(method.task)
        method.eval()

    def _as_data(self, task: TaskLike, labels: Labels | None) -> Data:
        if labels is not None:
            return self._of_arrays(task, labels)
        size = self.settings.resize
        if size is None and self._data is not None and len(self.data.image_shape) == 3:
            size = (self.data.image_shape[1], self.data.image_shape[2])
        given = str(task) if isinstance(task, Path) else task
        settings = self.settings.changed(resize=size)
        return data_of(settings, given, self.seed)

    def _of_arrays(self, images: Any, labels: Labels) -> Data:
        names = [str(label) for label in labels]
        classes = tuple(dict.fromkeys(names))
        shape = None if self._data is None else self.data.image_shape
        split = as_split(images, shape)
        if len(split) != len(names) or not names:
            raise DataError(f"there are {len(split)} images and {len(names)} labels")
        split = split.with_labels(torch.tensor([classes.index(name) for name in names]))
        mean, std = channel_statistics(split)
        every = torch.ones(len(names), dtype=torch.bool)
        empty = split.subset(torch.arange(0))
        return Data("arrays", split, empty, split, classes, mean, std, every)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each column."""
        return self.data.class_names

    def predict(self, images: Images) -> list[str]:
        """The name of the likeliest class of each image; the arguments are those of ``scores``."""
        return [self.class_names[column] for column in self.scores(images).argmax(-1).tolist()]

    def probabilities(self, images: Images) -> Tensor:
        """Softmax of the scores, ``(images, classes)``, in the order of ``class_names``.

        A method that goes by distances, such as iCaRL, gives minus squared distances; of these it
        says which class is nearer, and little of how sure that is.
        """
        return self.scores(images).softmax(-1)

    def scores(self, images: Images) -> Tensor:
        """What the method says of each image, ``(images, classes)``; the highest wins.

        Args:
            images: uint8 ``[N, C, H, W]`` in 0..255, or float ``[N, C, H, W]`` in 0..1; or the
                path of an image file, or several, which are scaled to the size that the network
                knows.

        Raises:
            DataError: They are of another size or kind, or a file cannot be read.
        """
        split = as_split(images, self.data.image_shape)
        return self.method.map_images(split, self.method.predict).cpu()

    def save(self, path: str | Path) -> None:
        """Write everything to one ``.safetensors`` file, exemplars included: it holds images."""
        write_tensors(Path(path), method_tensors(self.method), self._about())

    def save_network(self, path: str | Path) -> None:
        """Write the weights of the network alone, under the names that they came with."""
        about = self._about()
        known = ("model", "image_shape", "mean", "std", "class_names")
        named = {name: about[name] for name in known} | {"num_classes": len(self.class_names)}
        write_tensors(Path(path), state_as_it_came(self.method.network), named)

    def _about(self) -> Json:
        data = self.data
        return {
            "method": self.name,
            "seed": self.seed,
            "settings": self.settings.model_dump(mode="json"),
            "model": self.source.architecture,
            "image_shape": list(data.image_shape),
            "mean": list(data.mean),
            "std": list(data.std),
            "class_names": list(data.class_names),
            "tasks": [list(columns) for columns in self.tasks],
        }

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        model: ModelLike | None = None,
        source: NetworkSource | None = None,
        settings: LearnSettings | None = None,
        data: Data | None = None,
        fabric: Fabric | None = None,
    ) -> Self:
        """What :meth:`save` wrote. It needs neither data nor the weights that the run began with.

        A method or a network of the user's own code is imported: load only what you know.

        Args:
            path: The file.
            model: The network, where it was built by a function that has no name to be found by.
            source: The same, found already.
            settings: For what follows, instead of those that it was trained with.
            data: What the classes are in what follows: those of the file, and others behind them.
            fabric: Where the networks are put; the CPU by default.

        Raises:
            CheckpointError: The file is missing, damaged or another program's.
            ModelError: The network cannot be built.
        """
        file = Path(path)
        tensors, about = read_tensors(file)
        header = header_of(file, about)
        if settings is None:
            with refused_if_malformed(file):
                settings = LearnSettings.build(**header.settings)
        place = fabric or make_fabric()
        if source is None:
            named = header.model if model is None else model
            source = find_network(named, with_weights=False)
        learner = cls.new(
            header.method,
            header.seed,
            settings,
            replace(source, architecture=header.model),
            data
            or bare_data(
                settings.data,
                tuple(header.image_shape),
                tuple(header.class_names),
                tuple(header.mean),
                tuple(header.std),
            ),
            fabric=place,
        )
        learner.tasks = [tuple(columns) for columns in header.tasks]
        with _named_if_lost(header.model, file):
            learner.grow_again()
        with refused_if_malformed(file), _refused_if_another(source.architecture, header, file):
            load_method(learner.method, tensors, place.device)
        learner.method.eval()
        return learner

    def grow_again(self) -> None:
        """Give a new method the form that it has after all tasks; values are to be loaded."""
        method, stream = self.method, past_stream(self.data, tuple(self.tasks))
        for index in range(len(stream)):
            method.task = stream.task(index, with_earlier=method.sees_all_tasks)
            method.grow(method.task)
        method.to(method.setting.device)


Images = Tensor | np.ndarray[Any, Any] | Sequence[Any] | Path
TaskLike = Any
Labels = Sequence[Any]


def as_split(images: Images, shape: tuple[int, ...] | None) -> Split:
    """Images as a network takes them, without labels.

    Args:
        images: As in :meth:`Learner.scores`.
        shape: What the network takes; None where that is not known yet.

    Raises:
        DataError: They are of another shape, or a file cannot be read.
    """
    if isinstance(images, str | Path):
        images = [images]
    if isinstance(images, Sequence) and all(isinstance(one, str | Path) for one in images):
        if shape is None:
            raise DataError("paths of images come without a size; give a folder, or arrays")
        given = read_images([Path(path) for path in images], shape)
    else:
        given = images if isinstance(images, Tensor) else torch.from_numpy(np.asarray(images))
    if given.dim() == 4 and not (given.is_floating_point() or given.dtype in _WHOLE):
        raise DataError(
            f"the images are whole numbers of {str(given.dtype).removeprefix('torch.')}; expected "
            "uint8 in 0..255, or floats in 0..1"
        )
    if given.dtype != torch.uint8:
        given = _finite(given.float(), "images")
        if given.dim() == 4 and given.numel() and given.max() > _STANDARDISED:
            raise DataError(
                f"the images are floats up to {given.max():g}; expected floats in 0..1 (divide by "
                "255), or uint8 in 0..255"
            )
    if given.dim() not in (2, 4) or (shape is not None and tuple(given.shape[1:]) != shape):
        wanted = shape or ("C", "H", "W")
        raise DataError(
            f"the images are {tuple(given.shape)}; expected (N, {', '.join(map(str, wanted))}), "
            "as those that were learned from"
        )
    return Split(given, torch.zeros(len(given), dtype=torch.int64))


_WHOLE = (torch.uint8, torch.bool)
_STANDARDISED = 16  # no image that was divided by a deviation goes so far; one in 0..255 does


def _finite(numbers: Tensor, what: str) -> Tensor:
    """The same numbers; one that is none would make every answer after it meaningless."""
    if not numbers.isfinite().all():
        raise DataError(f"the {what} have NaN or infinity among them; expected numbers alone")
    return numbers


def normalisation_of(text: str | None, header: ModelHeader) -> Normalisation | None:
    """What the settings say, or the file of the network; None for the data's own."""
    if text not in (None, "data"):
        return Normalisation.read(str(text), (), ())
    if text is None and header.mean is not None and header.std is not None:
        return Normalisation.read((header.mean, header.std), (), ())
    return None


class _named_if_lost:  # noqa: N801 - a context, read as a sentence
    """A network whose builder is not found, or wants its weights, is asked for in one sentence."""

    def __init__(self, model: str, file: Path) -> None:
        self.model, self.file = model, file

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnknownNameError | ModelError):
            raise ModelError(
                f"the network in {self.file} was built by {self.model}, which cannot be called "
                f"here: {error}. Give what builds it, with any weights: model=Net in Python; in a "
                "run --model file.py:Net=WEIGHTS says builder and weights apart"
            ) from error


@contextmanager
def _refused_if_another(given: str, header: LearnerHeader, file: Path) -> Iterator[None]:
    """The weights of one network do not go into another, and that is no damage of the file."""
    try:
        yield
    except RuntimeError as error:
        if given == header.model:
            raise
        raise ModelError(
            f"{file} has the weights of {header.model}, which do not fit {given}; leave out model, "
            "or give what builds the same network"
        ) from error


def learner_data(stream: Stream) -> Data:
    """What a learner of a stream knows of it: no image."""
    data = stream.data
    return bare_data(data.name, data.image_shape, stream.class_names, data.mean, data.std)


def past_stream(data: Data, tasks: tuple[tuple[int, ...], ...]) -> Stream:
    """Tasks without images, as they were learned."""
    trains = [data.train] * len(tasks)
    return Stream(data, "class", tuple(range(len(data.class_names))), trains, [], past=tasks)


def header_of(path: Path, about: Json) -> LearnerHeader:
    """What a learner's file says.

    Raises:
        CheckpointError: It is damaged, or no learner's.
    """
    try:
        return LearnerHeader.model_validate(about)
    except ValidationError as error:
        raise damaged(path, f"its header, {first_of(error)}") from None
