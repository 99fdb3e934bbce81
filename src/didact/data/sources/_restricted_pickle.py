"""Reading the CIFAR pickles without running what a pickle may ask to run.

A pickle is a program. This unpickler knows the few names that a dictionary of arrays needs, and
answers each with an inert stand-in of its own, so that not even NumPy's constructors run. Every
other name is refused before anything happens.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from didact._core.errors import DataError

_UINT8_CODES = ("u1", "uint8", "B")


class _ElementType:
    """In place of ``numpy.dtype``: remembers the code, such as ``u1``."""

    __slots__ = ("code",)

    def __init__(self, code: str | bytes = "", *_: object) -> None:
        self.code = code.decode("latin-1") if isinstance(code, bytes) else code

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment do not matter for bytes."""


class _ArrayType:
    """In place of ``numpy.ndarray``, which occurs as an argument only."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("an array without a constructor")


class _Array:
    """In place of ``_reconstruct(ndarray, shape, code)`` and the state that follows it."""

    __slots__ = ("element", "fortran", "raw", "shape")

    def __init__(self, *_: object) -> None:
        self.shape: object = ()
        self.element: object = None
        self.fortran: object = False
        self.raw: object = b""

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, self.shape, self.element, self.fortran, self.raw = state


class _Buffer(_Array):
    """In place of ``_frombuffer(bytes, dtype, shape, order)``."""

    __slots__ = ()

    def __init__(self, raw: object, element: object, shape: object, order: object) -> None:
        self.raw, self.element, self.shape = raw, element, shape
        self.fortran = order == "F"


class _Encoded(bytes):
    """In place of ``_codecs.encode``, by which protocol 2 writes bytes."""

    __slots__ = ()

    def __new__(cls, text: str = "", *_: object) -> _Encoded:
        return super().__new__(cls, text.encode("latin-1"))


_ALLOWED: Mapping[tuple[str, str], type] = {
    ("numpy", "dtype"): _ElementType,
    ("numpy", "ndarray"): _ArrayType,
    ("_codecs", "encode"): _Encoded,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Buffer for core in ("core", "_core")},
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """The stand-in for an allowed name; everything else is refused."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no data file needs")
        return _ALLOWED[module, name]


def read_pickled_dict(content: bytes, where: str) -> dict[str, Any]:
    """A dictionary of arrays, lists, numbers and strings; its keys as ``str``.

    uint8 arrays come out as NumPy arrays.

    Raises:
        DataError: The pickle is damaged, asks for anything else, or is not a dictionary.
    """
    try:
        found = _Restricted(BytesIO(content), encoding="bytes").load()
        if not isinstance(found, dict):
            raise pickle.UnpicklingError(f"it holds a {type(found).__name__}, not a dictionary")
        return {_text(key): _plain(value) for key, value in found.items()}
    except Exception as error:
        raise DataError(
            f"{where} is not the data file it should be: {error}. Nothing in it was run; "
            "delete it and get it again from where it is published"
        ) from error


def _text(value: object) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _plain(value: object) -> object:
    if not isinstance(value, _Array):
        return value
    return _array(value)


def _array(stand_in: _Array) -> npt.NDArray[np.uint8]:
    element, raw, shape = stand_in.element, stand_in.raw, stand_in.shape
    if not isinstance(element, _ElementType) or element.code not in _UINT8_CODES:
        raise pickle.UnpicklingError("it holds an array of something else than uint8")
    if not isinstance(raw, (bytes, bytearray)) or not isinstance(shape, tuple):
        raise pickle.UnpicklingError("it holds an array without bytes")
    order = "F" if stand_in.fortran else "C"
    flat = np.frombuffer(bytes(raw), dtype=np.uint8)
    return flat.reshape(shape, order="F" if order == "F" else "C")
