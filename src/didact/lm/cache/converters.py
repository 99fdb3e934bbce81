"""What others have kept of a teacher, as a cache: vLLM, axolotl, DistillKit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from didact._core.errors import DataError, UsageError
from didact.lm.cache.capture import (
    Progress,
    begin,
    check,
    is_whole,
    rows_of,
    shard_name,
    write_kept,
)
from didact.lm.cache.distillkit import FORM, Form, read_distillkit
from didact.lm.cache.header import Header, digest_of_rows
from didact.lm.cache.said import ListedRow, Row
from didact.lm.cache.teacher_cache import TeacherCache
from didact.lm.vocabularies.vocabulary import Vocabulary


def convert(
    source: str,
    folder: str | Path,
    *,
    tokenizer: Any = None,
    classes: int | None = None,
    k: int | None = None,
    temperature: float = 1.0,
    name: str = "",
    progress: Progress | None = None,
) -> TeacherCache:
    """A cache from what another program has written.

    Log-probabilities are kept as they are, in float32, with a normaliser of 0: the distribution is
    the one that was written, to the last bit of it. A position of which nothing is known has equal
    logits for all classes: the last of each text, which no label follows, and in axolotl's files
    those that are not learned from, whose labels are -100.

    Args:
        source: ``vllm-jsonl:FILE``, lines with ``prompt_token_ids`` and ``prompt_logprobs``, as
            vLLM gives them; or ``axolotl:FILE``, lines with ``input_ids``, ``target_token_ids`` and
            ``target_logprobs``, each row about the token behind it; ``axolotl-legacy:FILE``, about
            the token itself. axolotl divides the k probabilities by their sum, so that its rows
            know nothing of the rest. ``distillkit:FOLDER``, parquet files beside a
            ``compression_config.yaml``, at temperature 1; what its compression has lost stays lost.
        folder: Of the cache.
        tokenizer: The teacher's.
        classes: How many the teacher knows; by default as many as its tokenizer has ids, or, of
            DistillKit, as its configuration says.
        k: Classes of a token; by default as many as every token has.
        temperature: At which the probabilities were taken; vLLM's and DistillKit's are at 1.
        name: Of the teacher.
        progress: Told of the rows that are done.

    Raises:
        UsageError: An unknown source, or neither a tokenizer nor classes.
        DataError: The file is not of its form.
        CheckpointError: The folder holds another cache.
    """
    kind, colon, place = source.partition(":")
    if kind not in READERS or not colon:
        raise UsageError(
            f"the source is {source!r}; expected one of {', '.join(READERS)}, and :PLACE"
        )
    vocabulary = None if tokenizer is None else Vocabulary.of(tokenizer)
    if classes is None and kind == "distillkit":
        classes = Form.read(Path(place) / FORM).classes if vocabulary is None else vocabulary.size
    elif classes is None:
        if vocabulary is None:
            raise UsageError("how many classes the teacher knows is not in the file; pass classes")
        classes = vocabulary.size
    if kind not in AT_ANY_TEMPERATURE and temperature != 1:
        raise UsageError(
            f"temperature is {temperature}; {kind} has log-probabilities at temperature 1 alone"
        )
    rows = list(READERS[kind](Path(place)))
    known = [row.least for row in rows if row.least is not None]
    if not known:
        raise DataError(f"{place} says nothing of any token; expected log-probabilities")
    kept = min(known) if k is None else k
    if kept > min(known):
        raise UsageError(f"k is {k}, and of a token only {min(known)} classes are known; lower it")
    texts = [torch.tensor(row.tokens) for row in rows]
    data, tokens = digest_of_rows(texts)
    header = Header(
        teacher=f"{kind}:{name}",
        teacher_name=name or kind,
        vocabulary="" if vocabulary is None else vocabulary.digest,
        classes=classes,
        data=data,
        rows=len(rows),
        tokens=tokens,
        k=kept,
        temperatures=(float(temperature),),
        ids="packed",
        logits="float32",
        rows_in_shard=max(1, (1 << 16) * len(rows) // tokens),
    )
    check(header, vocabulary)
    _tensors([rows[n] for n in rows_of(header, 0)], header)  # before a folder is made
    _refuse_unknown_tokens(rows, classes, place)
    begin(Path(folder), header, vocabulary)
    for number in range(header.shards):
        path, share = Path(folder) / shard_name(number), rows_of(header, number)
        if not is_whole(path):
            some = [rows[n] for n in share]
            write_kept(path, header, number, [texts[n] for n in share], _tensors(some, header))
        if progress is not None:
            progress(share.stop, header.rows)
    return TeacherCache(folder)


def _refuse_unknown_tokens(rows: list[Row], classes: int, place: str) -> None:
    for number, row in enumerate(rows, 1):
        for token in row.tokens:
            if not 0 <= token < classes:
                raise DataError(
                    f"row {number} of {place} has the token {token} and the teacher knows "
                    f"{classes}; pass classes, or its own tokenizer"
                )


def _tensors(rows: list[Row], header: Header) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, logits and normalisers of all tokens."""
    parts = zip(*(row.kept(header.k) for row in rows), strict=True)
    ids, log_probs, known = (torch.cat(part) for part in parts)
    if int(ids.max()) >= header.classes:
        raise DataError(
            f"class {int(ids.max())} is spoken of and the teacher knows {header.classes}; pass "
            "classes, or its own tokenizer"
        )
    log_z = torch.where(known, 0.0, math.log(header.classes)).unsqueeze(-1)
    # A logit of a temperature T is T log p, since it is divided by T again.
    return ids, log_probs * header.temperatures[0], log_z


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    value = json.loads(line)
                    if not isinstance(value, dict):
                        raise ValueError("not an object")
                except ValueError as error:
                    raise DataError(f"line {number} of {path} is no JSON object: {error}") from None
                yield number, value


def _vllm(path: Path) -> Iterator[Row]:
    """What is said of a token stands at the token itself, nothing at the first."""
    for number, value in _lines(path):
        try:
            if "prompt_logprobs" not in value:
                value = value["choices"][0]
            tokens = [int(token) for token in value["prompt_token_ids"]]
            said = [
                [] if entry is None else _sorted((int(c), _log_prob(p)) for c, p in entry.items())
                for entry in value["prompt_logprobs"]
            ]
            for place, one in enumerate(said[1:], 1):
                if not one:
                    raise ValueError(f"nothing is said at position {place}")
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise _not_of_form(
                path, number, "prompt_token_ids and prompt_logprobs", error
            ) from None
        yield _row(path, number, tokens, [*said[1:], []])


def _log_prob(value: Any) -> float:
    return float(value["logprob"] if isinstance(value, Mapping) else value)


def _sorted(said: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """The likeliest first; a class of probability 0 says no more than one that is not named.

    Raises:
        ValueError: One is no log-probability.
    """
    known = [(number, value) for number, value in said if value != -math.inf]
    for number, value in known:
        if not value <= _ROUNDING:  # NaN is not, either
            raise ValueError(f"class {number} has {value}, which is no log-probability")
    return sorted(known, key=lambda pair: (-pair[1], pair[0]))


_ROUNDING = 1e-3  # by which the logarithm of 1 may be off in half precision


def _axolotl(path: Path, *, legacy: bool = False) -> Iterator[Row]:
    for number, value in _lines(path):
        try:
            tokens = [int(token) for token in value["input_ids"]]
            said = [
                _sorted(
                    (int(c), float(p))
                    for c, p in zip(classes, values, strict=True)
                    if p is not None and not p <= -1e9
                )
                for classes, values in zip(
                    value["target_token_ids"], value["target_logprobs"], strict=True
                )
            ]
        except (KeyError, TypeError, ValueError) as error:
            words = "input_ids, target_token_ids and target_logprobs"
            raise _not_of_form(path, number, words, error) from None
        said += [[]] * (len(tokens) - len(said))
        yield _row(path, number, tokens, [*said[1:], []] if legacy else [*said[:-1], []])


def _row(
    path: Path, number: int, tokens: list[int], said: list[list[tuple[int, float]]]
) -> ListedRow:
    if len(said) != len(tokens):
        raise DataError(
            f"line {number} of {path} has {len(tokens)} tokens and speaks of {len(said)}; expected "
            "as many"
        )
    return ListedRow(tokens, said)


def _not_of_form(path: Path, number: int, words: str, error: Exception) -> DataError:
    return DataError(
        f"line {number} of {path} has not the form that was expected ({words}): {error}"
    )


READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "vllm-jsonl": _vllm,
    "axolotl": _axolotl,
    "axolotl-legacy": lambda path: _axolotl(path, legacy=True),
    "distillkit": read_distillkit,
}
AT_ANY_TEMPERATURE = ("axolotl", "axolotl-legacy")
