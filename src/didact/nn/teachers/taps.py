"""Reading the features inside a model by the path of a module, without editing the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from didact._core.errors import ModelError, UnknownNameError, UsageError
from didact._core.lookup import suggest
from didact.nn.files.inputs import OwnInputs, OwnUnits
from didact.nn.inspection.unwrap import unwrap
from didact.nn.teachers.teacher import Teacher

Side = Literal["output", "input"]


class Tap:
    """What one module gave (or got) in the model's last forward; made by :func:`tap`."""

    def __init__(self, root: nn.Module, path: str, side: Side, index: int | None) -> None:
        self.path = path
        self.side = side
        self._record = _Record(index)
        module = root.get_submodule(path)
        if side == "output":
            handle = module.register_forward_hook(self._record.after, with_kwargs=True)
        else:
            handle = module.register_forward_pre_hook(self._record.before, with_kwargs=True)
        begin = root.register_forward_pre_hook(self._record.begin, prepend=True)
        self._handles = (handle, begin)

    @property
    def value(self) -> Tensor:
        """The feature: of the last call, where the module was called several times.

        A student's feature carries its graph, a teacher's does not. It is kept until the next
        forward, :meth:`clear` or :meth:`remove`.

        Raises:
            ModelError: There is none (no forward yet, or the last one did not reach the module),
                it is no tensor, or a later module has overwritten it in place.
        """
        if not self.values:
            raise ModelError(
                f"nothing passed through {self.path!r}: call the model after tapping it. "
                "A compiled model must be tapped before its first call"
            )
        return self.values[-1]

    @property
    def values(self) -> list[Tensor]:
        """The features of all calls of the module in the last forward, in order."""
        return [self._checked(call) for call in self._record.calls]

    def _checked(self, call: tuple[Any, int | None]) -> Tensor:
        feature, version = call
        if not isinstance(feature, Tensor):
            raise ModelError(
                f"the {self.side} of {self.path!r} is a {type(feature).__name__}; expected a "
                f"tensor: choose its part with tap(..., index=0)"
            )
        if version is not None and feature._version != version:
            raise ModelError(
                f"the {self.side} of {self.path!r} was overwritten in place by a later module, "
                "such as ReLU(inplace=True); tap that module instead, or build it with "
                "inplace=False"
            )
        return feature

    def clear(self) -> None:
        """Let go of the feature and of the graph it holds."""
        self._record.calls = []

    def remove(self) -> None:
        """Take the tap off the model and let go of the feature; may be called twice."""
        for handle in self._handles:
            handle.remove()
        self.clear()

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()


class _Record:
    """The hooks of one tap. A copy of the model gets a record that records nothing."""

    def __init__(self, index: int | None, *, live: bool = True) -> None:
        self.index = index
        self.live = live
        self.calls: list[tuple[Any, int | None]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return _dead_record, (self.index,)

    def begin(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:  # noqa: ARG002
        self.calls = []

    def before(
        self,
        module: nn.Module,  # noqa: ARG002
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        given = (*arguments, *keywords.values())
        self._keep(given[self.index or 0] if given else None)

    def after(
        self,
        module: nn.Module,  # noqa: ARG002
        arguments: tuple[Any, ...],  # noqa: ARG002
        keywords: dict[str, Any],  # noqa: ARG002
        output: Any,
    ) -> None:
        self._keep(output if self.index is None else output[self.index])

    def _keep(self, feature: Any) -> None:
        if not self.live:
            return
        known = isinstance(feature, Tensor) and not torch.compiler.is_compiling()
        version = feature._version if known and not feature.is_inference() else None
        self.calls.append((feature, version))


def _dead_record(index: int | None) -> _Record:
    return _Record(index, live=False)


class Taps(Mapping[str, Tensor]):
    """Several taps of one model: a mapping from path to feature, in the order asked for."""

    def __init__(self, members: Sequence[Tap]) -> None:
        self._members = {member.path: member for member in members}

    def __getitem__(self, path: str) -> Tensor:
        if path not in self._members:
            raise KeyError(f"{path!r} is not tapped; {suggest(path, self._members)}")
        return self._members[path].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def clear(self) -> None:
        """Let go of all features."""
        for member in self._members.values():
            member.clear()

    def remove(self) -> None:
        """Take all taps off the model."""
        for member in self._members.values():
            member.remove()

    def __enter__(self) -> Taps:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()


def tap(model: nn.Module, path: str, *, side: Side = "output", index: int | None = None) -> Tap:
    """Read what a module inside the model gives in each forward.

    The tap is off the model after ``with`` or :meth:`Tap.remove`. It works through DDP, Fabric and
    a :class:`~didact.nn.Teacher`: the path is that in the user's own model. For a compiled model,
    set it before the first call.

    Args:
        model: The model.
        path: The module's name as in ``named_modules()``: ``"layer3"``, ``"layer3.1.bn2"``.
        side: ``"output"``, or ``"input"``: what the module got, such as the penultimate feature
            before ``"classifier"``.
        index: Which one, where the module gives a tuple or gets several arguments.

    Raises:
        UnknownNameError: The model has no such module; the message suggests near ones.
        UsageError: ``side`` is neither word.

    Example:
        >>> import torch
        >>> from didact.nn import build_model, tap
        >>> model = build_model("resnet8", image_shape=(3, 32, 32), num_classes=10)
        >>> with tap(model, "layer3") as feature:
        ...     logits = model(torch.zeros(2, 3, 32, 32))
        ...     feature.value.shape
        torch.Size([2, 64, 8, 8])
    """
    if side not in get_args(Side):
        raise UsageError(f"side is {side!r}; expected 'output' or 'input'")
    root = inner_model(model)
    find_module(root, path)
    return Tap(root, path, side, index)


def taps(
    model: nn.Module, paths: Sequence[str], *, side: Side = "output", index: int | None = None
) -> Taps:
    """Several taps at once, as a mapping from path to feature; see :func:`tap`.

    Example:
        >>> import torch
        >>> from didact.nn import build_model, taps
        >>> model = build_model("mlp", image_shape=(1, 8, 8), num_classes=10)
        >>> with taps(model, ["layer1", "layer2"]) as features:
        ...     logits = model(torch.zeros(2, 1, 8, 8))
        ...     {path: tuple(feature.shape) for path, feature in features.items()}
        {'layer1': (2, 256), 'layer2': (2, 128)}
    """
    root = inner_model(model)
    for path in paths:
        find_module(root, path)  # all of them first: a wrong one leaves no hooks behind
    return Taps([tap(root, path, side=side, index=index) for path in paths])


def inner_model(model: nn.Module) -> nn.Module:
    """The user's own model inside wrappers and a teacher."""
    model = unwrap(model)
    while isinstance(model, Teacher | OwnInputs | OwnUnits):
        model = unwrap(model.model)
    return model


def find_module(model: nn.Module, path: str) -> nn.Module:
    """The module at ``path``.

    Raises:
        UnknownNameError: There is none; the message suggests near paths.
    """
    modules: dict[str, nn.Module] = dict(model.named_modules(remove_duplicate=False))
    if path in modules:
        return modules[path]
    near = suggest(path, [name for name in modules if name])
    if not near.startswith("did you mean"):
        near = "its parts are " + ", ".join(name for name, _ in model.named_children())
    raise UnknownNameError(f"{type(model).__name__} has no module {path!r}; {near}")
