"""A sentence encoder into a small one on CLINC-150: ``python benchmarks/encoder.py --data DIR``.

    python benchmarks/encoder.py --data clinc150 --runs runs/encoder             runs and prints
    python benchmarks/encoder.py --data clinc150 --runs runs/encoder --write     the page as well

DIR holds CLINC-150's data_full.json (Larson et al. 2019, CC BY 3.0). Of its training part 30
sentences of each of the 150 intents are taken, of its validation part 5, of its test part all; five
labels of each intent are used, others with each seed. The teacher's vectors are made once, in the
first run; runs that are complete are left as they are.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from didact.lm import read_sentences
from didact.metrics import mean_interval, paired_test
from didact.train import EncoderSettings, distill_encoder, resume_encoder
from didact.train.record.files import read_tensors

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-encoder.md"
EACH = {"train": 30, "validation": 5, "test": 10_000}
COMMON: dict[str, Any] = {
    "labels_per_class": 5, "steps": 600, "seeds": (0, 1, 2, 3, 4), "threads": 1,
}  # fmt: skip
FIRST = "static-64"
VARIANTS: dict[str, dict[str, Any]] = {
    FIRST: {},
    "static-64, cosine alone": {"loss": ("cosine",), "arms": ("distilled",)},
    "static-64, kd alone": {"loss": ("kd",), "arms": ("distilled",)},
    "static-64, similarity_preserving added": {
        "loss": ("cosine", "kd", "similarity_preserving=10"),
        "arms": ("distilled",),
    },
    "static-64, rkd_distance added": {
        "loss": ("cosine", "kd", "rkd_distance=10"),
        "arms": ("distilled",),
    },
    "attention-64x1": {"student": "attention-64x1", "learning_rate": 5e-3},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--teacher", default="minilm")
    parser.add_argument("--only", action="append", choices=list(VARIANTS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    sentences = given.runs / "sentences"
    if not (sentences / "test.csv").is_file():
        write_sentences(given.data / "data_full.json", sentences)
    for name in given.only or VARIANTS:
        run(name, sentences, given.runs, given.teacher)
    text = table(given.runs)
    print(text)
    if given.write:
        PAGE.write_text(text, "utf-8")


def write_sentences(source: Path, folder: Path) -> None:
    """CLINC-150's own parts as CSV, so many sentences of each intent."""
    folder.mkdir(parents=True, exist_ok=True)
    found = json.loads(source.read_text("utf-8"))
    draw = np.random.default_rng(2026)
    for part, each in EACH.items():
        rows = found["val" if part == "validation" else part]
        kept: dict[str, int] = {}
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            for number in draw.permutation(len(rows)):
                text, label = rows[number]
                kept[label] = kept.get(label, 0) + 1
                if kept[label] <= each:
                    writer.writerow([text, label])


def folder_of(name: str, runs: Path) -> Path:
    return runs / name.replace(", ", "-").replace(" ", "-")


def run(name: str, sentences: Path, runs: Path, teacher: str) -> None:
    """One variant; all but the first read the teacher's vectors that the first has made."""
    folder = folder_of(name, runs)
    if (folder / "result.json").is_file():
        return
    if name != FIRST:
        teacher = f"npy:{vectors_of(folder_of(FIRST, runs), sentences, runs)}"
    if (folder / "run.toml").is_file():
        resume_encoder(folder)
        return
    chosen = COMMON | {"data": f"text:{sentences}", "teacher": teacher} | VARIANTS[name]
    shutil.rmtree(folder, ignore_errors=True)
    distill_encoder(EncoderSettings.build(**chosen), folder)


def vectors_of(folder: Path, sentences: Path, runs: Path) -> Path:
    """The vectors of a run as a file with one for each sentence that is read."""
    place = runs / "vectors.npy"
    if not place.is_file():
        files = sorted((folder / "teacher").glob("vectors-*.safetensors"))
        found = torch.cat([read_tensors(file)[0]["vectors"] for file in files])
        read = read_sentences(f"text:{sentences}")
        whole = torch.zeros(read.read, found.shape[1])
        whole[list(read.rows)] = found
        np.save(place, whole.numpy())
    return place


def table(runs: Path) -> str:
    """Accuracy of each variant, its difference from the student alone, and what it costs."""
    results = {
        name: json.loads((folder_of(name, runs) / "result.json").read_text())
        for name in VARIANTS
        if (folder_of(name, runs) / "result.json").is_file()
    }
    first = results[FIRST]
    teacher = first["arms"]["teacher"]["test_accuracy"]
    about = first["models"]["teacher"][0]
    lines = [
        "# A sentence encoder into a small one",
        "",
        f"`python benchmarks/encoder.py --write`: CLINC-150, {first['data']['train']:,} sentences, "
        f"{first['data']['labelled']} of them with labels (5 of each of 150 intents), "
        f"{first['data']['test']:,} of its test part; the teacher is all-MiniLM-L6-v2. Means over "
        f"{len(first['seeds'])} seeds, which draw labels, weights and order, with 95 % intervals "
        "(Student t; of differences, paired). Nothing was chosen on the test part. "
        "Speed is of one thread, tokens included, on a machine with other work: compare the rows "
        "with each other.",
        "",
        "| | test accuracy, % | − the same alone, points | of the teacher's | nearest shared, % "
        "| parameters | of the teacher's | sentences a second |",
        "|---|---|---|---|---|---|---|---|",
        f"| teacher, head on 750 labels | {cell(teacher)} | | | | {about['parameters']:,} | "
        f"| {speed(about)} |",
    ]
    lines += [
        line for name in results for line in rows_of(name, results[name], teacher, about, results)
    ]
    return "\n".join(lines) + "\n"


def rows_of(
    name: str, result: Any, teacher: list[float], about: Any, results: dict[str, Any]
) -> list[str]:
    lines = []
    alone = results[FIRST]["arms"]["alone"]["test_accuracy"]
    alone = result["arms"].get("alone", {}).get("test_accuracy", alone)
    size = result["models"]["student"]["parameters"]
    for arm in ("alone", "distilled"):
        if arm not in result["arms"]:
            continue
        values = result["arms"][arm]["test_accuracy"]
        gain = ""
        if arm == "distilled":
            test = paired_test(values, alone)
            half = 100 * ((test.high or 0) - (test.low or 0)) / 2
            gain = f"{100 * test.mean:+.1f} ± {half:.1f}"
        kept = sum(values) / sum(teacher)
        lines.append(
            f"| {name}, {arm} | {cell(values)} | {gain} | {100 * kept:.1f} % "
            f"| {cell(result['arms'][arm]['neighbours_kept'])} | {size:,} "
            f"| {100 * size / about['parameters']:.2f} % | {speed(result['models']['student'])} |"
        )
    return lines


def cell(values: list[float]) -> str:
    found = mean_interval(values)
    return f"{100 * found.mean:.1f} ± {100 * ((found.high or 0) - (found.low or 0)) / 2:.1f}"


def speed(model: Any) -> str:
    latency = model.get("latency_ms")
    return f"{1000 * latency['batch_size'] / latency['median']:,.0f}" if latency else ""


if __name__ == "__main__":
    main()
