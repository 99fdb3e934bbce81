"""docs/benchmarks-learn.md: the tables of ``learn_speed``, ``learn_augment``, ``learn_step``."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

import learn_augment
import learn_step
from didact._core.processor import processor_name

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-learn.md"


def page(runs: list[str], herding: str, *, real: bool, load: str, torchvision: Path | None) -> str:
    """The page; the augmentation and the steps are measured here."""
    images = "Fashion-MNIST" if real else "random images of Fashion-MNIST's number and size"
    torch.set_num_threads(1)
    return f"""# Speed of `didact learn`

Measured by `python benchmarks/learn_speed.py --data-dir DIR --avalanche PYTHON
--torchvision FOLDER --write`, where DIR holds Fashion-MNIST's four files in the folder
`fashion-mnist`, PYTHON is the interpreter of an environment with avalanche-lib, made as
`benchmarks/learn_avalanche.py` says, and FOLDER has torchvision, as `benchmarks/learn_pictures.py`
says. Without `--data-dir` the images are random; what the others are for is left out without them.
`learn_augment.py` and `learn_step.py` print the second and the third table alone.

All times are CPU time (user and system), not elapsed time; one process at a time, the variants in
turn, medians. Seconds and samples per second are of one machine, ratios of one kind of processor.

Conditions: {processor_name()}, {os.cpu_count()} cores, 1 thread;
Python {platform.python_version()}, torch {torch.__version__};
load of the machine at the start and at the end {load}.

## A whole run

{images}, 5 tasks of 2 classes, 1 epoch each, batches of 128, a perceptron of 400-400, SGD 0.01
with momentum 0.9, 2,000 exemplars for iCaRL. Each run is a process of its own and counts from its
first instruction to its last: imports, reading the files, training, herding, evaluation after each
task; for didact also the run folder with its states, records and result.

{chr(10).join(runs)}

*floor*: 90 lines of plain PyTorch in `benchmarks/learn_speed.py`, without a DataLoader, options or
anything written; it has the same losses, the fused optimiser and one matrix product per exemplar
that is chosen. didact comes out below it: a process that uses `torch.optim` loads PyTorch's
compiler at its start, 1.5 s, and didact does not on one device in float32. That outweighs what its
training loop, its files and its checks cost.
*avalanche*: avalanche-lib 0.6.0, normalised tensors in memory, no logger, one metric. Its LwF has
the cross-entropy over all classes, which is fine-tuning in effect, hence its accuracy; its iCaRL
has a mean of features of its own and another scale of the loss. The times compare like work, the
accuracies do not compare like methods.

Herding 2,000 exemplars of 12,000 samples (2 classes, 512 features): {herding}.
Each pick reads 12 MB, so that this is as fast as the memory is at the moment.

## Images varied: tensors against PIL

Crop, flip, brightness, normalisation; CPU-microseconds per sample in batches of 128. The usual
pipeline varies one PIL image after another in a DataLoader without further processes: by
torchvision's transforms, which PyCIL takes, or by hand, the same with less around each step.
didact: `Batches(..., augment="crop-flip-brightness")` on uint8 tensors in memory. The last column
is paid once for all epochs of a task.

{chr(10).join(learn_augment.rows(2048, 7, torchvision))}

## A step with distillation

LwF's second task on random images, batches of 128: the images varied as above, the old model's
logits, forward, backward, SGD. The usual step is in the style of PyCIL: PIL images through a
DataLoader, by torchvision's transforms or by hand; float32, channels first, PyTorch's own layers,
the old model as it is. *didact*: `didact.train.learn` with `--precision bf16-mixed
--channels-last`, all that it does included.

{chr(10).join(learn_step.rows(2048, 7, torchvision))}

What it consists of: bfloat16 under autocast and the `channels_last` format (most of it, on
processors with bfloat16 instructions); images varied in whole batches; batch norms of the old model
folded into its convolutions, with bfloat16 only, where the logits are rounded anyway; a mean over
positions whose gradient stays in `channels_last`; halving by the maxima of neighbours where no
gradient is wanted, as in the old model; and memory that a step frees kept for the next step, which
saves the system filling it with zeros again. The last three change no bit.
"""


def write(runs: list[str], herding: str, *, real: bool, torchvision: Path | None) -> None:
    """Measure what is missing and write the page."""
    began = os.getloadavg()[0]
    text = page(runs, herding, real=real, load="LOAD", torchvision=torchvision)
    PAGE.write_text(text.replace("LOAD", f"{began:.1f} and {os.getloadavg()[0]:.1f}"), "utf-8")
