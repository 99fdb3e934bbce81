"""torchdistill's DIST+ channel relation, and DIST+ with the other terms at weight 0."""

import torch
from torchdistill.losses.mid_level import DISTPlusLoss

from didact.probe import probe, text_of

WEIGHTS = {"beta": 0.0, "gamma": 0.0, "kappa": 0.0}


def dist_plus(student_features, teacher_features):
    logits = {"output": torch.zeros(6, 3, dtype=student_features.dtype)}
    sides = [{"fc": logits, "map": {"output": f}} for f in (student_features, teacher_features)]
    return DISTPlusLoss(*["fc", "output"] * 2, *["map", "output"] * 2, **WEIGHTS)(*sides)


print(text_of(probe(dist_plus, kind="match")))
