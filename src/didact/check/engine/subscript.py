"""Subscripts: slices of classes, rows, positions, fields of an output."""

from __future__ import annotations

import ast

from didact.check.engine.guess import guess
from didact.check.engine.machine import Layer, Machine
from didact.check.engine.names import is_class_count, source
from didact.check.engine.rank_evidence import number
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import NORMALISED, Evidence, Role, Space
from didact.check.engine.tables import Table
from didact.check.engine.values import UNKNOWN, Record, Value


def subscript(m: Machine, node: ast.Subscript, base: Value, name: str) -> Value:
    """The value of ``base[...]``."""
    key = node.slice
    if isinstance(base.payload, Table):
        return base.payload.get(key.value if isinstance(key, ast.Constant) else None)
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        entry = base.payload.get(key.value) if isinstance(base.payload, Record) else None
        if entry is not None:
            return entry
        return _by_key(base, key.value, node, name)
    if base.items is not None:
        return _item(base, key)
    text = source(node)
    if ".shape[" in text or text.endswith((".shape[0]", ".shape[1]", ".shape[-1]")):
        return Value(space=Space.SCALAR, scale=Scale.of(text), origin=node)
    m.record("slice", node, base=base)
    known = base.is_tensor or base.sources or base.terms or base.rank is not None
    if not known and base.role is Role.UNKNOWN:
        return _plain(node, text)
    return _sliced(base, key)


def _plain(node: ast.Subscript, text: str) -> Value:
    if is_class_count(text) and not isinstance(node.slice, ast.Slice | ast.Tuple):
        return Value(space=Space.SCALAR, scale=Scale.of(text), origin=node)
    guessed = guess(text.replace("[", ".").replace("]", "").replace("'", "").replace('"', ""), node)
    arity = _arity(node.slice)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    dropped = sum(
        not isinstance(part, ast.Slice | ast.Constant) or _is_index(part) for part in parts
    )
    rank = None if arity is None else arity - dropped
    return Value(rank=rank or None, role=guessed.role, origin=node)


def _by_key(base: Value, key: str, node: ast.Subscript, name: str) -> Value:
    if base.space is Space.OUTPUT or base.sources:
        if key in ("out", "output", "pred"):
            return base.replace(payload=None)  # the author of the model knows in which space it is
        space = Space.LOGITS if "logit" in key else Space.UNKNOWN
        if "feat" in key or "hidden" in key or "att" in key:
            space = Space.FEATURES
        rank = base.rank if space is Space.LOGITS else None
        return base.replace(space=space, space_from=Evidence.NAME, payload=None, rank=rank)
    guessed = guess(f"{name}.{key}" if name else key, node)
    return guessed.replace(
        space=guessed.space if guessed.space is Space.SCALAR else Space.UNKNOWN, role=guessed.role
    )


def _item(base: Value, key: ast.expr) -> Value:
    number = key.value if isinstance(key, ast.Constant) else None
    items = base.items or ()
    if isinstance(key, ast.UnaryOp) and isinstance(key.operand, ast.Constant):
        number = -key.operand.value if isinstance(key.operand.value, int) else None
    if isinstance(number, int) and -len(items) <= number < len(items):
        return items[number]
    if isinstance(base.payload, Layer):
        return UNKNOWN
    return items[0] if len(items) == 1 and not isinstance(key, ast.Slice) else UNKNOWN


def _arity(key: ast.expr) -> int | None:
    if not isinstance(key, ast.Tuple):
        return None
    elements = key.elts
    if any(isinstance(e, ast.Constant) and e.value in (..., None) for e in elements):
        return None
    return len(elements)


def _sliced(base: Value, key: ast.expr) -> Value:
    arity = _arity(key)
    if isinstance(key, ast.Tuple) and key.elts:
        dropped = sum(not isinstance(e, ast.Slice | ast.Constant) or _is_index(e) for e in key.elts)
        sure = all(isinstance(e, ast.Slice | ast.Constant) or _is_index(e) for e in key.elts)
        last = key.elts[-1]
        rank = arity - dropped if arity is not None else base.rank
        rank = max(rank, base.rank - dropped) if rank is not None and base.rank else rank
        place = _is_class_place(base, key)
        cut = isinstance(last, ast.Slice) and (last.lower is not None or last.upper is not None)
        cut = cut and place
        chosen = not isinstance(last, ast.Slice | ast.Constant) and not _is_index(last)
        classes = cut or (place and chosen)
        if classes and not cut:
            return base.replace(
                class_slice=source(last),
                rank=base.rank if base.rank in (None, 2) else (base.rank or 0) - 1,
                exact=base.exact and base.rank == 2,
                payload=None,
                partial=_part(base),
            )
        text = source(last) if cut and isinstance(last, ast.Slice) else base.class_slice
        partial = base.class_slice if not cut else text
        return base.replace(
            class_slice=partial,
            rank=rank or None,
            payload=None,
            axis=base.axis if not dropped else None,
            partial=base.partial or (classes and _part(base)),
            exact=base.exact and sure,
        )
    if isinstance(key, ast.Slice):
        return base.replace(payload=None)
    if _is_index(key) and base.space is Space.OUTPUT and base.rank_from is Evidence.MODEL:
        if number(key) == _place_of_logits(base):
            return base.replace(axis=None, payload=None)
        return base.replace(rank=None, axis=None, payload=None)  # of a tuple, more likely
    if _is_index(key):
        return base.replace(
            rank=base.rank - 1 if base.rank and base.rank > 1 else None, axis=None, payload=None
        )
    return base.replace(rank=None if base.rank != 2 else 2, payload=None)


def _place_of_logits(base: Value) -> int | None:
    """Where the logits are in the tuple that a model of ``transformers`` gives."""
    given = {k.arg for k in base.origin.keywords} if isinstance(base.origin, ast.Call) else set()
    if not given & {"input_ids", "attention_mask", "pixel_values", "input_features"}:
        return None
    return 1 if "labels" in given else 0


def _is_class_place(base: Value, key: ast.Tuple) -> bool:
    """Whether the last of the subscripts speaks of the classes rather than of positions."""
    if any(isinstance(e, ast.Constant) and e.value is ... for e in key.elts):
        return True
    place = len(key.elts) - 1
    if base.axis is not None and base.axis >= 0:
        return place == base.axis
    return place == max(base.rank or 2, len(key.elts)) - 1 >= 1


def _part(base: Value) -> bool:
    return base.space in NORMALISED


def _is_index(node: ast.expr) -> bool:
    return number(node) is not None
