"""Provinces one after another: ``python benchmarks/provinces.py OUTPUT [EASYPR.npz]``.

Letters, digits and ten provinces first, then seven provinces at a time, by didact.train.learn.
Drawn characters without a file; with EasyPR's characters, those.
"""

import sys
from pathlib import Path

from didact.train import learn
from didact_plates.characters import (
    at_most,
    character_data,
    drawn_characters,
    easypr_characters,
    provinces_in_turn,
)

METHODS = ("icarl", "joint", "wa", "lwf", "finetune")


def main(output: str, easypr: str = "", seeds: int = 3) -> int:
    """Run the five methods and print each one's accuracy after each task."""
    if easypr:
        train, test = easypr_characters(Path(easypr))
        data = character_data("easypr", at_most(train, 120), at_most(test, 60))
    else:
        data = character_data("drawn", drawn_characters(100, 1), drawn_characters(25, 2))
    result = learn(
        data=data,
        model="cnn-16",
        method=METHODS,
        groups=provinces_in_turn(),
        memory=65 * 15,
        epochs=5,
        batch_size=64,
        learning_rate=0.05,
        seeds=tuple(range(seeds)),
        threads=1,
        onnx=False,
        output=output,
        overwrite=True,
    )
    for method, found in result.summary["methods"].items():
        numbers = found["numbers"]
        print(method, {k: numbers[k] for k in ("last", "average_incremental", "forgetting")})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3], *map(int, sys.argv[3:4])))
