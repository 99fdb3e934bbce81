"""Folders that DistillKit has written: parquet files and the form of their compressed numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from didact._core.errors import DataError
from didact._core.optional import require
from didact.lm.cache.said import Row

FORM = "compression_config.yaml"
COLUMNS = ("input_ids", "compressed_logprobs", "bytepacked_indices")
_DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


@dataclass(frozen=True, slots=True)
class Part:
    """Numbers of a few bits each behind a common scale.

    Attributes:
        count: How many.
        bits: Of each.
        dtype: Of the scale.
    """

    count: int
    bits: int
    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class Form:
    """How the k log-probabilities of a token were pressed into bytes.

    The first few stand as they are. The others are a polynomial of their rank, given by its
    coefficients, and what the polynomial misses, in few bits. All of them may be differences from
    the one before.

    Attributes:
        classes: For which ids were made room.
        k: Classes of a token.
        exact: How many stand as they are.
        exact_dtype: In which precision.
        terms: Powers of the rank, or the name of a function of it.
        term_dtype: Of the coefficients.
        parts: What the polynomial misses, of the first ranks on.
        differences: Whether each is added to the one before.
        to_one: Whether ranks go from 0 to 1.
    """

    classes: int
    k: int
    exact: int
    exact_dtype: torch.dtype
    terms: tuple[int | str, ...]
    term_dtype: torch.dtype
    parts: tuple[Part, ...]
    differences: bool
    to_one: bool

    @classmethod
    def read(cls, path: Path) -> Form:
        """That of a folder.

        Raises:
            DataError: There is none, or it is of another kind.
            MissingDependencyError: PyYAML is not installed.
        """
        if not path.is_file():
            raise DataError(
                f"there is no {path}; expected a folder that DistillKit's sample-logits has written"
            )
        yaml = require("yaml", extra="text")
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
            terms = tuple(found["polynomial_terms"] or ())
            form = cls(
                classes=int(found["d"]),
                k=int(found["k"]),
                exact=int(found["exact_k"]),
                exact_dtype=_DTYPES[found["exact_dtype"]],
                terms=terms,
                term_dtype=_DTYPES[found["term_dtype"]],
                parts=tuple(
                    Part(int(b["num_elements"]), int(b["element_bits"]), _DTYPES[b["scale_dtype"]])
                    for b in found["residual_bins"]
                ),
                differences=bool(found["delta_encoding"]),
                to_one=bool(found.get("normalize_t", False)),
            )
            form.ranks()
        except (yaml.YAMLError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"{path} is not of the form that was expected: {error!r}") from None
        return form

    def ranks(self) -> Tensor:
        """Each term of the polynomial at each rank behind the exact ones, ``(ranks, terms)``."""
        count = self.k - self.exact
        if self.to_one:
            ranks = torch.linspace(0, 1, count, dtype=self.term_dtype)
        else:
            ranks = torch.arange(count, dtype=self.term_dtype)
        functions = {"sqrt": torch.sqrt, "exp": torch.exp}
        found = [ranks**t if isinstance(t, int) else functions[t](ranks) for t in self.terms]
        return torch.stack(found, -1) if found else torch.zeros(count, 0)

    def log_probs(self, content: Tensor) -> Tensor:
        """The k log-probabilities again.

        Args:
            content: ``(tokens, bytes)``.

        Returns:
            ``(tokens, k)`` in float32.
        """
        at = 0

        def numbers(count: int, dtype: torch.dtype) -> Tensor:
            nonlocal at
            first, at = at, at + count * dtype.itemsize
            flat = content[:, first:at].reshape(-1).clone()  # views want aligned memory
            return flat.view(dtype).reshape(len(content), count)

        exact = numbers(self.exact, self.exact_dtype).float()
        coefficients = numbers(len(self.terms), self.term_dtype)
        others = (self.ranks().to(self.term_dtype) * coefficients.unsqueeze(1)).sum(-1).float()
        start = 0
        for part in self.parts:
            scale, first = numbers(1, part.dtype).float(), at
            at += -(-part.count * part.bits // 8)
            steps = unpacked(content[:, first:at], part.bits, part.count)
            signed = 2 * steps - 1 if part.bits == 1 else steps - (1 << (part.bits - 1))
            others[:, start : start + part.count] += signed.float() * scale
            start += part.count
        found = torch.cat([exact, others], -1)
        return found.double().cumsum(-1).float() if self.differences else found

    @property
    def width(self) -> int:
        """Bytes of the log-probabilities of a token."""
        plain = self.exact * self.exact_dtype.itemsize + len(self.terms) * self.term_dtype.itemsize
        return plain + sum(p.dtype.itemsize - (-p.count * p.bits // 8) for p in self.parts)

    @property
    def bits(self) -> int:
        """Of a class number."""
        return math.ceil(math.log2(self.classes))


def unpacked(content: Tensor, bits: int, count: int) -> Tensor:
    """Numbers of so many bits from bytes ``(tokens, bytes)``, the highest bit first."""
    every = np.unpackbits(content.numpy(), axis=-1)[:, : bits * count]
    every = every.reshape(len(content), count, bits).astype(np.int64)
    found: NDArray[np.int64] = every @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))
    return torch.from_numpy(found)


@dataclass(frozen=True, slots=True)
class PressedRow:
    """A row that is unpacked when it is wanted: what is said of the first token's successor first.

    Attributes:
        tokens: Its ids.
        form: Of the numbers.
        log_probs: ``(tokens, bytes)``, or one fewer.
        ids: The same.
    """

    tokens: list[int]
    form: Form
    log_probs: NDArray[np.uint8]
    ids: NDArray[np.uint8]

    @property
    def least(self) -> int | None:
        """See :class:`~didact.lm.cache.said.Row`."""
        return self.form.k if len(self.log_probs) else None

    def kept(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """See :class:`~didact.lm.cache.said.Row`."""
        count, said = len(self.tokens), len(self.log_probs)
        ids, values = torch.arange(k).repeat(count, 1), torch.zeros(count, k)
        found = self.form.log_probs(torch.from_numpy(self.log_probs))[:, :k]
        numbers = unpacked(torch.from_numpy(self.ids), self.form.bits, self.form.k)[:, :k]
        if not bool(found.isfinite().all()) or int(numbers.max()) >= self.form.classes:
            raise DataError(
                "a token has classes that are none, or log-probabilities that are no numbers; the "
                f"files and {FORM} do not belong together"
            )
        ids[:said], values[:said] = numbers, found
        return ids, values, torch.arange(count) < said


def read_distillkit(folder: Path) -> Iterator[Row]:
    """The rows of a folder.

    Raises:
        DataError: It was not written by DistillKit, or in its older form.
        MissingDependencyError: pyarrow or PyYAML is not installed.
    """
    form = Form.read(folder / FORM)
    parquet = require("pyarrow.parquet", extra="records")
    paths = sorted(folder.glob("*.parquet"), key=_number)
    if not paths:
        raise DataError(f"there are no parquet files in {folder}; expected those of DistillKit")
    for path in paths:
        try:
            table = parquet.read_table(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is no parquet file that can be read: {error}") from None
        if missing := [name for name in COLUMNS if name not in table.column_names]:
            raise DataError(
                f"{path} has no column {missing[0]}; expected {', '.join(COLUMNS)}. Of other forms "
                "the normaliser is not known"
            )
        for number in range(table.num_rows):
            yield _row(path, number, {name: table[name][number] for name in COLUMNS}, form)


def _row(path: Path, number: int, values: Mapping[str, Any], form: Form) -> PressedRow:
    tokens = [int(token) for token in values["input_ids"].as_py()]
    widths = {"compressed_logprobs": form.width, "bytepacked_indices": -(-form.k * form.bits // 8)}
    found = {}
    for name, width in widths.items():
        lists = values[name].values
        flat = lists.flatten().to_numpy(zero_copy_only=False).astype(np.uint8)
        if len(flat) != len(lists) * width or not len(tokens) - 1 <= len(lists) <= len(tokens):
            raise DataError(
                f"row {number} of {path}: {len(tokens)} tokens and {len(lists)} x "
                f"{len(flat) / max(1, len(lists)):g} bytes of {name}; expected {width} bytes for "
                f"each token but perhaps the last, by {FORM}"
            )
        found[name] = flat.reshape(len(lists), width)
    return PressedRow(tokens, form, found["compressed_logprobs"], found["bytepacked_indices"])


def _number(path: Path) -> tuple[int, str]:
    """``data_10`` comes behind ``data_9``."""
    digits = re.findall(r"\d+", path.stem)
    return (int(digits[-1]) if digits else -1), path.name
