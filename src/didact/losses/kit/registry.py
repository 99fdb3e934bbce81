"""What a loss says of itself: the entry of ``didact list losses`` and what its tests expect."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from didact._core.i18n import Text

Family = Literal["logits", "teachers", "features", "relations", "incremental"]
Kind = Literal["divergence", "match", "objective"]
Layers = Literal["one", "pairs", "any"]
Purpose = Literal[
    "start",
    "gap",
    "decisions",
    "multi_label",
    "language",
    "teachers",
    "one_layer",
    "several_layers",
    "maps",
    "classifier",
    "embedding",
    "old_outputs",
    "old_features",
    "new_apart",
]
T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Card:
    """One public loss.

    Attributes:
        name: The public name, ``didact.losses.<name>``.
        function: The function, or the ``nn.Module`` class of a loss with parameters or memory.
        family: Which section of the documentation it stands in.
        purpose: What somebody wants who should take it, a key of :data:`PURPOSES`.
        kind: ``"divergence"``: non-negative, zero with zero gradient where student equals
            teacher, blind to a constant added to the logits. ``"match"``: non-negative and zero
            where student equals teacher, nothing more. ``"objective"``: anything else.
        formula: The formula on one line, in plain text.
        paper: Authors, year, venue and identifier; an equation where its number is certain.
        layers: Whose features it takes: ``"one"`` layer of each network, ``"pairs"`` of layers as
            two lists of one length, or lists of ``"any"`` length.
    """

    name: str
    function: Callable[..., Any]
    family: Family
    purpose: Purpose
    kind: Kind
    formula: str
    paper: str
    layers: Layers = "one"

    @property
    def per_sample(self) -> bool:
        """Whether samples do not interact, so that ``reduction="none"`` makes sense."""
        return "reduction" in inspect.signature(self.function).parameters

    @property
    def defaults(self) -> dict[str, Any]:
        """The keyword parameters that have a default."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


PURPOSES: dict[Purpose, Text] = {
    "start": Text("One teacher, the same classes: begin here", "一个教师、相同的类别：从这里开始"),
    "gap": Text(
        "The teacher is much stronger, or very sure of itself", "教师比学生强得多，或过于自信"
    ),
    "decisions": Text("Only the teacher's decision is at hand", "只有教师的判定结果（硬标签）"),
    "multi_label": Text("Several labels for each sample", "每个样本有多个标签"),
    "language": Text(
        "Language models, and other divergences between distributions",
        "语言模型，以及其他分布散度",
    ),
    "teachers": Text("Several teachers", "多个教师"),
    "one_layer": Text("Features: one layer of the teacher", "特征：匹配教师的一层"),
    "several_layers": Text("Features: several layers at once", "特征：同时匹配多层"),
    "maps": Text("Segmentation and other dense maps", "分割等逐位置预测"),
    "classifier": Text("The student takes over the teacher's classifier", "学生沿用教师的分类器"),
    "embedding": Text(
        "Embeddings: relations between samples, networks of different families",
        "嵌入与检索：样本之间的关系，师生结构可以不同",
    ),
    "old_outputs": Text("New classes: keep the old model's answers", "增量学习：保持旧模型的输出"),
    "old_features": Text(
        "New classes: keep the old model's features", "增量学习：保持旧模型的特征"
    ),
    "new_apart": Text("New classes: keep them apart from the old ones", "增量学习：拉开新旧类别"),
}
"""What each purpose of a :class:`Card` is called, in the order of the documentation's index."""
CARDS: dict[str, Card] = {}
"""Every public loss by name, filled by :func:`register_loss` when ``didact.losses`` is imported."""


def register_loss(
    *,
    family: Family,
    purpose: Purpose,
    kind: Kind,
    formula: str,
    paper: str,
    layers: Layers = "one",
) -> Callable[[T], T]:
    """Register the decorated function or module class as a public loss."""

    def register(function: T) -> T:
        name: str = function.__name__
        CARDS[name] = Card(name, function, family, purpose, kind, formula, paper, layers)
        return function

    return register
