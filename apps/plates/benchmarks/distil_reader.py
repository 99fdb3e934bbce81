"""Does a teacher help the reader? ``python benchmarks/distil_reader.py STUDENT.pt TEACHER.pt``.

Every arm goes on from the same student with the same plates in the same order; only the loss
differs. For each seed the share of held-out plates read without a mistake, the paired difference
to the arm without a teacher (``didact.metrics.paired_test``) and McNemar's test on the same plates.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from didact.metrics import mcnemar_test, paired_test
from didact_plates.grammar import ALPHABET
from didact_plates.reader import Reader
from didact_plates.reader.network import STUDENT, TEACHER, PlateNet, Widths
from didact_plates.reader.reading import greedy_text
from didact_plates.synthetic import draw_examples
from didact_plates.train import Plan, train_network
from didact_plates.train.distilling import distilled_loss
from didact_plates.train.fitting import plain_loss

ARMS = {"alone": None, "T=2 w=0.5": (2.0, 0.5), "T=4 w=0.9": (4.0, 0.9)}


def network(path: str, widths: Widths) -> PlateNet:
    """The weights of a run, in training or finished."""
    net = PlateNet(widths)
    net.load_state_dict(torch.load(path, weights_only=True)["network"])
    return net


def right(net: PlateNet, lines: np.ndarray, texts: list[str]) -> np.ndarray:
    """Which lines are read without a mistake (greedily: the grammar would help every arm)."""
    reader = Reader(net)
    frames = np.concatenate(
        [reader.outputs(lines[i : i + 100])[0] for i in range(0, len(lines), 100)]
    )
    return np.array([greedy_text(f) == t for f, t in zip(frames, texts, strict=True)])


def main() -> int:
    """Train all arms and print what came out as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("student")
    parser.add_argument("teacher")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=7680)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--test", type=int, default=2000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    teacher = network(given.teacher, TEACHER)
    held_out = draw_examples(given.test, seed=4242, empty=0.0)
    texts = ["".join(ALPHABET[k - 1] for k in row if k) for row in held_out.texts]
    teacher_right = right(teacher, held_out.lines, texts)
    start_right = right(network(given.student, STUDENT), held_out.lines, texts)
    print(json.dumps({"teacher": teacher_right.mean(), "start": start_right.mean()}), flush=True)
    plan = Plan(rounds=1, lines=given.lines, rate=given.rate, ctc_from=0.5)
    found: dict[str, list[np.ndarray]] = {name: [] for name in ARMS}
    for seed in range(1, given.seeds + 1):
        for name, setting in ARMS.items():
            loss = plain_loss
            if setting is not None:
                loss = distilled_loss(teacher, temperature=setting[0], weight=setting[1])
            net = train_network(
                plan,
                start=network(given.student, STUDENT),
                seed=900 + seed,
                loss=loss,
                tell=lambda _: None,
            )
            assert net is not None
            found[name].append(right(net, held_out.lines, texts))
            print(
                json.dumps({"seed": seed, "arm": name, "exact": found[name][-1].mean()}), flush=True
            )
            if given.keep is not None:
                torch.save({"network": net.state_dict()}, given.keep / f"{name}-{seed}.pt")
    alone = found["alone"]
    for name, arms in found.items():
        if name == "alone":
            continue
        scores = [[float(a.mean()) for a in some] for some in (arms, alone)]
        line: dict[str, Any] = {"arm": name}
        if given.seeds > 1:
            difference = paired_test(*scores)
            line["gain"], line["p"] = difference.mean, difference.p_value
        for one, other in zip(arms, alone, strict=True):
            test = mcnemar_test(torch.from_numpy(one), torch.from_numpy(other))
            line.setdefault("mcnemar", [])
            line["mcnemar"] += [(test.only_a, test.only_b, test.p_value)]
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
