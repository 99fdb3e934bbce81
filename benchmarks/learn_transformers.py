"""Methods for pre-trained transformers on a small one: ``python benchmarks/learn_transformers.py``.

A ``vit-2-32-2`` is trained on scikit-learn's digits 0 to 4 in plain PyTorch. Then each method
learns 5 to 9 from it, in three tasks: 5 and 6, 7 and 8, 9. Some minutes on one core.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from didact.data import Data, load
from didact.metrics import mean_interval
from didact.nn import build_model
from didact.train import learn

MODEL, KNOWN, GROUPS = "vit-2-32-2", 5, ((5, 6), (7, 8), (9,))
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "finetune": ("finetune", {}),
    "joint": ("joint", {}),
    "simplecil": ("simplecil", {"train_first": False}),
    "ranpac": ("ranpac", {"train_first": False}),
    "ranpac, adapter first": ("ranpac", {"tune": "adapter"}),
    "aper, adapter": ("aper", {"tune": "adapter"}),
    "aper, SSF": ("aper", {"tune": "ssf"}),
    "aper, VPT": ("aper", {"tune": "vpt"}),
    "aper, all": ("aper", {"tune": "all"}),
    "l2p": ("l2p", {"train_first": False}),
    "dualprompt": ("dualprompt", {"train_first": False, "general": 1}),
    "coda-prompt": ("coda-prompt", {"train_first": False}),
    "slca": ("slca", {"slow": 0.1}),
    "ease": ("ease", {}),
}


def pretrained(data: Data, seed: int) -> nn.Module:
    """A transformer that tells the first five digits apart."""
    torch.manual_seed(seed)
    network = build_model(MODEL, image_shape=data.image_shape, num_classes=KNOWN)
    mine = data.train.labels < KNOWN
    images = (data.train.take(mine.nonzero().flatten()).float() / 255 - data.mean[0]) / data.std[0]
    labels = data.train.labels[mine]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    for _ in range(40):
        for places in torch.randperm(len(labels)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(network(images[places]), labels[places]).backward()
            optimizer.step()
    return network.eval()


def measured(row: str, network: nn.Module, seed: int, epochs: int) -> dict[str, float]:
    """The numbers of one method with one seed."""
    name, options = ROWS[row]

    def build(_data: Data, classes: int) -> nn.Module:
        found: Any = copy.deepcopy(network)
        found.classifier = nn.Linear(found.classifier.in_features, classes)
        return found

    with TemporaryDirectory() as folder:
        result = learn(
            output=Path(folder) / "run",
            method=name,
            method_options={f"{name}.{key}": value for key, value in options.items()},
            data="digits",
            groups=GROUPS,
            model=build,
            epochs=epochs,
            batch_size=32,
            optimizer="adamw",
            learning_rate=3e-3,
            seeds=(seed,),
            threads=1,
            accelerator="cpu",
        )
    numbers = result.summary["methods"][name]["numbers"]
    return {key: values[0] for key, values in numbers.items()}


def main() -> None:
    """Print one row of Markdown for each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rows", nargs="*", default=list(ROWS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = load("digits")
    networks = [pretrained(data, seed) for seed in range(given.seeds)]
    print("| method | average | last | last, worst class | last, task told |")
    print("| --- | --- | --- | --- | --- |")
    for row in given.rows:
        found = [measured(row, net, seed, given.epochs) for seed, net in enumerate(networks)]
        names = ("average_incremental", "last", "last_worst_class", "last_task_aware")
        print(f"| {row} | {' | '.join(_cell([one[n] for one in found]) for n in names)} |")


def _cell(values: list[float]) -> str:
    half = mean_interval(values).half_width
    spread = "" if half is None else f" ± {100 * half:.1f}"
    return f"{100 * fmean(values):.1f}{spread}"


if __name__ == "__main__":
    main()
