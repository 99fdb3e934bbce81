"""What the names of a paste say that it is, beside what its formula is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from didact._core.i18n import Text
from didact.check.explain.summary import Verdict
from didact.check.explain.words import summary as words

_CALLED = (
    ("dkd", r"\bdkd|decoupled"), ("rkd", r"\brkd|relational"),
    ("at", r"attention_?(transfer|loss)|\bat_(loss|kd)|_at_loss"),
    ("nst", r"\bnst"), ("sp", r"similarity_?preserving|\bsp_loss"),
    ("cwd", r"\bcwd|channel_?wise"),
    ("pkt", r"\bpkt"), ("dist", r"\bdist_?(loss|kd)"), ("icarl", r"icarl"), ("lwf", r"\blwf"),
    ("reverse_kl", r"reverse_?kl|\brkl|reversekl"), ("jsd", r"\bjsd?_|\bjsd\b|jensen"),
    ("hint", r"fitnet|hint"), ("dml", r"\bdml|mutual"), ("hard_kd", r"hard_?distill"),
    ("dino", r"\bdino"), ("self_kd", r"byot|be_?your_?own|self_?distill"),
    ("tf_kd", r"\btf_?kd|teacher_?free|virtual_?teacher"), ("pod", r"\bpod(net)?(_|\b)"),
    ("lucir", r"lucir|less_?forget"), ("vid", r"\bvid(_|\b|loss)|variational_?info"),
    ("crd", r"\bcrd"), ("ewc", r"\bewc"),
    ("der", r"\bder(pp|_plus)?(_|\b)|dark_?experience"), ("pkd", r"\bpkd|patient_?kd"),
    ("fsp", r"\bfsp"), ("bic", r"\bbic(_|\b)"), ("wa", r"\bwa_(kd|loss)|weight_?align"),
)  # fmt: skip
"""What functions and classes are called that compute a named loss."""
OF_SCORES = frozenset(
    {"kd", "token_kd", "pixel_kd", "multi_kd", "lwf", "keras_distiller", "self_kd", "dml", "bic",
     "wa"}
)  # fmt: skip
"""Methods that are Hinton's loss between other models."""
_OF_PARTS = frozenset(
    {"mse", "hint", "logit_matching", "cosine", "lucir", "", "plain", "der", "pkd"}
)
"""Comparisons that many methods are made of."""


def called(names: Sequence[str]) -> str | None:
    """The method that functions or classes are named after, where it is one alone."""
    told = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name) for name in names).lower()
    found = [key for key, pattern in _CALLED if re.search(pattern, told)]
    return found[0] if len(found) == 1 else None


def hint_by_name(names: Sequence[str], missing: Sequence[str]) -> Text | None:
    """What the names say that it is, where the functions that it needs are not shown."""
    key = called(names)
    if key is None:
        return None
    if not missing:
        return words.NAMED_ALONE.format(method=words.METHODS[key])
    shown = ", ".join(f"`{m}`" for m in list(missing)[:4])
    return words.NAMED.format(method=words.METHODS[key], missing=shown)


def as_called(verdict: Verdict, named: str | None) -> Verdict:
    """A verdict beside the name: of the method that is meant, and never equal to another one."""
    key = verdict.method_key
    if named is None or named == key or verdict.outcome == "none":
        return verdict
    method = words.METHODS[named]
    if (named, key) in _ALIKE:
        return verdict
    if key in OF_SCORES and named in OF_SCORES:
        special = named in {"dml", "self_kd", "lwf", "bic", "wa"}
        return replace(verdict, method=method, method_key=named) if special else verdict
    if key in _OF_PARTS and verdict.outcome == "equal":
        if key == "lucir":
            return replace(verdict, method=words.METHODS["cosine"], method_key="cosine")
        same = named in {"hint", "der", "pkd"} and key not in {"", "plain", "cosine"}
        return replace(verdict, method=method, method_key=named) if same else verdict
    if verdict.outcome == "departs":
        if key in OF_SCORES and named in _UNLIKE and verdict.method is not None:
            reason = words.NOT_AS_NAMED.format(computes=verdict.method)
            return replace(
                verdict, method=method, method_key=named, reasons=(reason, *verdict.reasons)
            )
        if verdict.by_findings or named == "icarl":
            return replace(verdict, method=method, method_key=named)
        return replace(verdict, outcome="unknown", method=None, method_key="", reasons=())
    if verdict.outcome == "equal" and key in OF_SCORES and named in _UNLIKE:
        assert verdict.method is not None
        reason = words.NOT_AS_NAMED.format(computes=verdict.method)
        return replace(
            verdict, outcome="departs", method=method, method_key=named, reasons=(reason,),
            notes=(), named=True,
        )  # fmt: skip
    if verdict.outcome == "unknown" and key in _OF_PARTS:
        return replace(verdict, method=None, method_key="")
    return verdict


_ALIKE = frozenset(
    {("crd", "infonce"), ("jsd", "jsd_even"), ("der", "derpp"), ("lucir", "lucir_margin"),
     ("dino", "dino_uncentred"), ("lwf", "bic"), ("lwf", "wa"), ("pkd", "distilbert")}
)  # fmt: skip
"""Names that are right for a loss whose key is a closer one."""
_UNLIKE = frozenset({"dkd", "reverse_kl", "jsd", "dist", "rkd"})
"""Methods whose loss is never Hinton's."""
