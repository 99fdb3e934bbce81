"""Models that are programs rather than modules: TorchScript, ONNX, a plain function."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError
from didact._core.optional import require
from didact._core.text import printable


class FunctionModel(nn.Module):
    """A function from images to logits as a model; nothing of it is trained.

    Args:
        function: Takes ``(batch, channels, height, width)``, gives ``(batch, classes)``.

    Example:
        >>> import torch
        >>> from didact.nn import FunctionModel
        >>> brightness = FunctionModel(lambda images: images.mean((2, 3)))
        >>> brightness(torch.ones(2, 3, 4, 4)).shape
        torch.Size([2, 3])
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def __deepcopy__(self, memo: dict[int, Any]) -> FunctionModel:
        """The function itself is shared: it may hold a session or a socket."""
        return FunctionModel(self.function)

    def forward(self, images: Tensor) -> Tensor:
        """What the function gives."""
        return self.function(images)


class OnnxModel(nn.Module):
    """A network in an ONNX file, run by onnxruntime on the CPU; it has no gradient.

    Args:
        path: A file with one input of images and logits as its first output. Where its batch size
            is fixed, the images are given to it in such portions.

    Raises:
        CheckpointError: The file is missing or cannot be run.
        MissingDependencyError: onnxruntime is not installed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        require("onnxruntime", extra="export")
        if not path.is_file():
            raise CheckpointError(f"there is no file {path}")
        self.path = path
        self._open()

    def _open(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise CheckpointError(
                f"{self.path} cannot be run by onnxruntime: {str(error).splitlines()[0]}"
            ) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            raise CheckpointError(f"{self.path} takes {names}; expected one input, the images")
        self._input: str = inputs[0].name
        size = inputs[0].shape[0] if inputs[0].shape else None
        self._shape = tuple(inputs[0].shape[1:])
        self._said: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self._batch: int | None = size if isinstance(size, int) else None
        self._half = inputs[0].type == "tensor(float16)"

    def __getstate__(self) -> dict[str, Any]:
        """A session cannot be copied or sent: it is opened anew."""
        return {k: v for k, v in self.__dict__.items() if k != "_session"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Open the file again."""
        super().__setstate__(dict(state))  # type: ignore[no-untyped-call]
        self._open()

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Channels, height and width; None where the file leaves one of them open."""
        fixed = all(isinstance(side, int) and side > 0 for side in self._shape)
        return self._shape if self._shape and fixed else None

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, in the files of didact; None where there are none.

        Raises:
            CheckpointError: They are damaged.
        """
        try:
            names = json.loads(self._said.get("class_names", "null"))
        except ValueError as error:
            raise CheckpointError(f"{self.path} is damaged: its class names are no JSON") from error
        return tuple(map(printable, map(str, names))) if isinstance(names, list) else None

    @property
    def task(self) -> str:
        """What the outputs are, in the files of didact: logits of single labels elsewhere."""
        return self._said.get("task", "single-label")

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Logits on the device of the images."""
        array = images.detach().cpu().numpy().astype(np.float16 if self._half else np.float32)
        parts = [self._run(part) for part in self._portions(array)]
        logits = torch.from_numpy(np.concatenate(parts)[: len(array)])
        return logits.to(images.device, torch.float32)

    def _portions(self, array: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        if self._batch is None:
            return [array]
        short = -len(array) % self._batch
        filled = np.concatenate([array, np.repeat(array[-1:], short, axis=0)])
        return np.split(filled, len(filled) // self._batch)

    def _run(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        try:
            found: np.ndarray[Any, Any] = self._session.run(None, {self._input: array})[0]
        except Exception as error:
            raise ModelError(
                f"{self.path} does not take images of shape {array.shape[1:]}: "
                f"{str(error).splitlines()[0]}"
            ) from error
        return found


def is_torchscript(path: Path) -> bool:
    """Whether a file is a program of ``torch.jit.save``."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.partition("/")[2].startswith("code/") for name in archive.namelist())
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):
        return False


def load_torchscript(path: Path) -> nn.Module:
    """The program of a TorchScript file.

    Raises:
        CheckpointError: The file is damaged, or of another version of PyTorch.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit")
            module: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be loaded as TorchScript: {str(error).splitlines()[0]}"
        ) from error
    return ScriptModel(module)


class ScriptModel(nn.Module):
    """A TorchScript program as a module whose copies share it: it is not trained.

    The program is no submodule, since much of what a module can be asked it refuses; it goes to
    another device with this one.
    """

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        if hasattr(program, "training"):  # a frozen program has no modes any more
            program.eval()
        for parameter in program.parameters():
            parameter.requires_grad = False
        self._programs = (program,)

    def __deepcopy__(self, memo: dict[int, Any]) -> ScriptModel:
        """The program itself is shared."""
        return ScriptModel(self._programs[0])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ScriptModel:
        self._programs[0]._apply(fn)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, images: Tensor) -> Tensor:
        """What the program gives; it is given images in the precision of its weights."""
        own = next((p.dtype for p in self._programs[0].parameters() if p.is_floating_point()), None)
        found: Tensor = self._programs[0](images if own is None else images.to(own))
        return found
