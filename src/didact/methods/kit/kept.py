"""What a method remembers between tasks besides its modules: named tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping

from torch import Tensor


class Kept(MutableMapping[str, Tensor]):
    """Tensors by name, such as Fisher information or class means; a checkpoint holds them all.

    Names may have dots, so ``fisher.layer1.0.weight`` is fine; :meth:`under` gives back what was
    put there as a dictionary by the rest of the name.
    """

    def __init__(self) -> None:
        self._tensors: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def __setitem__(self, name: str, value: Tensor) -> None:
        self._tensors[name] = value.detach()

    def __delitem__(self, name: str) -> None:
        del self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def put(self, prefix: str, tensors: Mapping[str, Tensor]) -> None:
        """Keep each of ``tensors`` as ``prefix.name``; what was there before is dropped."""
        for name in [name for name in self._tensors if name.startswith(f"{prefix}.")]:
            del self._tensors[name]
        for name, value in tensors.items():
            self[f"{prefix}.{name}"] = value

    def under(self, prefix: str) -> dict[str, Tensor]:
        """What :meth:`put` kept under ``prefix``."""
        dotted = f"{prefix}."
        return {k.removeprefix(dotted): v for k, v in self._tensors.items() if k.startswith(dotted)}

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors together."""
        return sum(value.nbytes for value in self._tensors.values())
