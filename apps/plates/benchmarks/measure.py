"""Measures the reader of plates and the classic system on the same photographs and crops.

    python apps/plates/benchmarks/measure.py DATA --half report --json figures.json

``DATA`` is a folder with ``easypr_cars_800/`` and its ``.json``, ``easypr_plate_crops94x24.npz``,
``ccpd_crops_94x24/`` and ``easypr_chars20_unique.npz``. Photographs are cut into halves by a fixed
seed; everything that was tuned was tuned on ``dev``. Times are processor time of one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from didact_plates.classic import ClassicSystem, Recogniser
from didact_plates.finding import Plate, Read
from didact_plates.locate import Image, overlap

SEED = 0
IOU = 0.5


class System(Protocol):
    """What is measured."""

    def find(self, image: Image) -> list[Plate]:
        """The plates of a photograph."""

    def read(self, crops: Sequence[Image]) -> Sequence[Read]:
        """What stands on crops."""


class Ours:
    """The shipped system."""

    def __init__(self, model: Path | None, most: int | None) -> None:
        from didact_plates.models import finder

        self.finder = finder(model)
        if most is not None:
            self.finder.most = most

    def find(self, image: Image) -> list[Plate]:
        """The plates of a photograph."""
        return self.finder.find(image)

    def read(self, crops: Sequence[Image]) -> Sequence[Read]:
        """What stands on crops."""
        return self.finder.reader.read(crops)


def halves(names: Sequence[str]) -> dict[str, list[str]]:
    """The names in two halves by a fixed seed: one to tune on, one to report."""
    ordered = sorted(names)
    order = np.random.default_rng(SEED).permutation(len(ordered))
    middle = len(ordered) // 2
    dev, report = (sorted(ordered[i] for i in part) for part in (order[:middle], order[middle:]))
    return {"dev": dev, "report": report, "all": ordered}


def true_box(plate: dict[str, Any]) -> np.ndarray:
    """The upright box around a labelled plate: left, top, right, bottom."""
    rectangle = ((plate["cx"], plate["cy"]), (plate["w"], plate["h"]), plate["rot"])
    corners = cv2.boxPoints(rectangle)
    return np.concatenate([corners.min(0), corners.max(0)])


def on_photographs(system: System, data: Path, half: str) -> dict[str, Any]:
    """Plates read exactly, recall and precision of their places, and time."""
    labels = json.loads((data / "easypr_cars_800.json").read_text("utf-8"))
    names = halves(list(labels))[half]
    exact, placed, given, wanted = 0, 0, 0, 0
    times, each = [], []
    for name in names:
        image = cv2.imread(str(data / "easypr_cars_800" / name))
        start = time.process_time()
        found = system.find(image)
        times.append(1000 * (time.process_time() - start))
        free = [_box(plate) for plate in found]
        texts = [plate.text for plate in found]
        given += len(found)
        for plate in labels[name]["boxes"]:
            wanted += 1
            right = plate["text"] in texts
            exact += right
            each.append([name, plate["text"], right, texts])
            box = true_box(plate)
            best = max(free, key=lambda one: overlap(one, box), default=None)
            if best is not None and overlap(best, box) >= IOU:
                placed += 1
                free.remove(best)
    return {
        "photographs": len(names),
        "plates": wanted,
        "exact": exact / wanted,
        "recall": placed / wanted,
        "precision": placed / max(given, 1),
        "ms": float(np.mean(times)),
        "ms median": float(np.median(times)),
        "each": each,
    }


def _box(plate: Plate) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = plate.corners.min(0), plate.corners.max(0)
    return float(left), float(top), float(right), float(bottom)


def on_crops(system: System, crops: Sequence[Image], texts: Sequence[str]) -> dict[str, Any]:
    """Crops read exactly, and all but the first character."""
    said = []
    start = time.process_time()
    for crop in crops:
        said += [one.text for one in system.read([crop])]
    spent = 1000 * (time.process_time() - start) / max(len(crops), 1)
    return {
        "crops": len(crops),
        "exact": float(np.mean([a == b for a, b in zip(said, texts, strict=True)])),
        "behind the first": float(
            np.mean([a[1:] == b[1:] for a, b in zip(said, texts, strict=True)])
        ),
        "ms": spent,
        "each": [[b, a] for a, b in zip(said, texts, strict=True)],
    }


def easypr_crops(data: Path, half: str) -> tuple[list[Image], list[str]]:
    """Crops of the photographs of a half."""
    labels = json.loads((data / "easypr_cars_800.json").read_text("utf-8"))
    names = set(halves(list(labels))[half])
    with np.load(data / "easypr_plate_crops94x24.npz") as file:
        rows = [i for i, photo in enumerate(file["photo"]) if str(photo) in names]
        images = [np.ascontiguousarray(file["x"][i][:, :, ::-1]) for i in rows]
        return images, [str(file["text"][i]) for i in rows]


def ccpd_crops(data: Path, half: str) -> tuple[list[Image], list[str]]:
    """Crops whose text is the name of the file."""
    folder = data / "ccpd_crops_94x24"
    names = halves([path.name for path in folder.iterdir()])[half]
    content = [np.fromfile(folder / name, np.uint8) for name in names]
    images = [cv2.imdecode(one, cv2.IMREAD_COLOR) for one in content]
    return images, [Path(name).stem.split("_")[0] for name in names]


def recogniser(data: Path, kept: Path | None) -> tuple[Recogniser, dict[str, Any]]:
    """The classic machine, learned from EasyPR's characters, and how many others it knows."""
    with np.load(data / "easypr_chars20_unique.npz") as file:
        images, names, test = file["x"], file["glyph"][file["y"]], file["is_test"]
    if kept is not None and kept.exists():
        machine = Recogniser.load(kept)
    else:
        machine = Recogniser.fitted(images[~test], names[~test].tolist())
        if kept is not None:
            machine.save(kept)
    said, _ = machine.recognise(list(images[test]))
    right = np.array(said) == names[test]
    hanzi = names[test] > "\u2e80"
    figures = {"characters": int(test.sum()), "all": float(right.mean()),
               "hanzi": float(right[hanzi].mean())}  # fmt: skip
    return machine, figures


def measured(system: System, data: Path, half: str) -> dict[str, Any]:
    """Photographs and crops of one system."""
    return {
        "photographs": on_photographs(system, data, half),
        "easypr crops": on_crops(system, *easypr_crops(data, half)),
        "ccpd crops": on_crops(system, *ccpd_crops(data, half)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=("dev", "report", "all"), default="dev")
    parser.add_argument("--systems", default="ours,classic")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--most", type=int, help="candidates that are read at most")
    parser.add_argument("--kept", type=Path, help="where the classic machine is kept")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures: dict[str, Any] = {"half": options.half}
    makers: dict[str, Callable[[], System]] = {
        "ours": lambda: Ours(options.model, options.most),
        "classic": lambda: ClassicSystem(machine),
    }
    wanted = options.systems.split(",")
    if "classic" in wanted:
        machine, figures["classic characters"] = recogniser(options.data, options.kept)
        print("classic characters", figures["classic characters"])
    for name in wanted:
        figures[name] = measured(makers[name](), options.data, options.half)
        for what, found in figures[name].items():
            shown = {k: round(v, 3) for k, v in found.items() if k != "each"}
            print(f"{name:8} {what:14} {shown}", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
