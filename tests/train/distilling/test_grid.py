"""A grid: every combination is a run folder, what was killed goes on, wrong axes are named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.train.distilling.support import QUICK

from didact._core.errors import RunFolderError, TrustError, UsageError
from didact.metrics import holm
from didact.report import compare
from didact.train import DistillSettings, distill_from, distill_grid, read_axis, resume_grid
from didact.train.distilling.grid import cells_of
from didact.train.loop.processes import done_in_turn

QUICKEST: dict[str, Any] = {
    **QUICK, "student": "mlp-8", "teacher": ("mlp-16",), "epochs": 1, "batch_size": 256,
}  # fmt: skip


def base(**changes: Any) -> DistillSettings:
    return DistillSettings.build(**QUICKEST | changes)


def test_each_combination_is_a_run_like_one_started_by_hand(tmp_path: Path) -> None:
    axes = {"temperature": [4, 1], "loss": ["kd", "kd+hint=0.5"], "kd.reduction": ["mean"]}
    found = distill_grid(base(seeds=(0, 1)), axes, tmp_path / "grid")
    assert list(found.cells) == [
        "temperature=4,loss=kd,kd.reduction=mean",
        "temperature=4,loss=kd+hint=0.5,kd.reduction=mean",
        "temperature=1,loss=kd,kd.reduction=mean",
        "temperature=1,loss=kd+hint=0.5,kd.reduction=mean",
    ]
    assert not found.failed
    alone = distill_from(base(seeds=(0, 1), temperature=4, loss=("kd",)), tmp_path / "alone")
    state = load_file(found.runs[0] / "student.safetensors")
    assert all(torch.equal(state[n], v) for n, v in alone.student.state_dict().items())
    comparison = compare([found.folder])
    assert [run.name for run in comparison.runs] == list(found.cells)
    p_values = [run.difference.p_value if run.difference else None for run in comparison.runs]
    assert [run.holm_p for run in comparison.runs] == holm(p_values)


def test_what_is_complete_stays_and_the_rest_is_run(tmp_path: Path) -> None:
    axes = {"temperature": [1, 2, 4]}
    found = distill_grid(base(), axes, tmp_path / "grid")
    before = {path: load_file(path / "student.safetensors") for path in found.runs}
    kept = found.runs[0] / "result.json"
    moment = kept.stat().st_mtime_ns
    for name in ("result.json", "checkpoint/distilled.0.done", "student.safetensors"):
        (found.runs[1] / name).unlink()
    shutil.rmtree(found.runs[2])
    again = resume_grid(tmp_path / "grid", jobs=2)
    assert again.runs == found.runs
    assert kept.stat().st_mtime_ns == moment
    for path, state in before.items():
        again_state = load_file(path / "student.safetensors")
        assert all(torch.equal(again_state[name], value) for name, value in state.items())


@pytest.mark.slow
def test_a_killed_grid_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    settings = base(epochs=20, batch_size=64, checkpoint_seconds=0.05)
    script = tmp_path / "run.py"
    script.write_text(
        "from didact.train import DistillSettings, distill_grid\n"
        f"base = DistillSettings.build(**{settings.model_dump(mode='json')!r})\n"
        f"distill_grid(base, {{'temperature': [1, 4]}}, {str(tmp_path / 'grid')!r})\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    part = tmp_path / "grid" / "temperature=4" / "checkpoint"
    ends = time.monotonic() + 240
    while not list(part.glob("*.part")) and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "grid" / "temperature=4" / "result.json").exists()
    found = resume_grid(tmp_path / "grid")
    assert not found.failed
    whole = distill_from(settings.changed(temperature=4), tmp_path / "whole")
    state = load_file(found.runs[1] / "student.safetensors")
    assert all(torch.equal(state[n], v) for n, v in whole.student.state_dict().items())


def test_a_cell_that_cannot_be_run_does_not_stop_the_others(tmp_path: Path) -> None:
    axes = {"student": ["mlp-8", "no-such-model"]}
    found = distill_grid(base(), axes, tmp_path / "grid")
    assert "no model is called" in found.failed["student=no-such-model"]
    assert [path.name for path in found.runs] == ["student=mlp-8"]


@pytest.mark.parametrize(
    ("axes", "word"),
    [
        ({}, "no axis"),
        ({"temprature": [1]}, "did you mean"),
        ({"temperature": []}, "no values"),
        ({"temperature": [1, -1]}, "above 0"),
        ({"seeds": [1, 2]}, "same in all cells"),
        ({"loss": ["kd", "no-loss"]}, "no loss is called"),
        ({"dkd.beta": [2]}, "no chosen loss has an option"),
        ({"temperature": [1, 1]}, "twice"),
    ],
)
def test_a_wrong_axis_is_one_sentence_and_nothing_is_run(
    tmp_path: Path, axes: dict[str, list[Any]], word: str
) -> None:
    with pytest.raises((UsageError, Exception), match=word):
        distill_grid(base(loss=("kd",)), axes, tmp_path / "grid")
    assert not (tmp_path / "grid").exists()


def test_folders_that_are_something_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(RunFolderError, match="no grid"):
        distill_grid(base(), {"temperature": [1]}, tmp_path / "thesis")
    with pytest.raises(RunFolderError, match="not the folder of a grid"):
        resume_grid(tmp_path / "thesis")
    distill_grid(base(), {"temperature": [1]}, tmp_path / "grid")
    with pytest.raises(RunFolderError, match="--resume"):
        distill_grid(base(), {"temperature": [2]}, tmp_path / "grid")


def test_a_grid_of_somebody_else_imports_nothing_unasked(tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    (tmp_path / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(mark)!r}).touch()\ndef loss(s, t): return s.sum()\n"
    )
    found = distill_grid(base(), {"temperature": [1]}, tmp_path / "grid")
    record = (found.folder / "grid.toml").read_text()
    (found.folder / "grid.toml").write_text(
        record.replace('"auto"', f'"{tmp_path / "evil.py"}:loss"', 1)
        if 'loss = [\n    "auto"' not in record
        else record.replace('loss = [\n    "auto"', f'loss = [\n    "{tmp_path / "evil.py"}:loss"')
    )
    with pytest.raises(TrustError, match="--trust"):
        resume_grid(found.folder)
    assert not mark.exists()


def test_axes_are_read_as_they_are_typed() -> None:
    assert read_axis("kd-weight=0.5,0.9", float) == ("kd_weight", [0.5, 0.9])
    assert read_axis("class_weight=1,2;2,1", str) == ("class_weight", ["1,2", "2,1"])
    for wrong in ("temperature", "=1", "temperature="):
        with pytest.raises(UsageError, match="NAME=VALUE"):
            read_axis(wrong, float)


def test_the_cells_keep_what_the_base_says() -> None:
    cells = cells_of(base(loss=("dkd",), loss_options={"dkd.alpha": 2.0}), {"dkd.beta": [2, 8]})
    assert [cell.loss_options for cell in cells.values()] == [
        {"dkd.alpha": 2.0, "dkd.beta": 2},
        {"dkd.alpha": 2.0, "dkd.beta": 8},
    ]


def double(number: int, factor: int) -> int:
    return number * factor


@pytest.mark.slow
def test_submitit_s_local_cluster(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    items = [(1, 2), (3, 4)]
    found = done_in_turn(
        double, items, launcher="slurm", jobs=2, logs=tmp_path, options={"cluster": "local"}
    )
    assert sorted(found) == [(0, 2), (1, 12)]


@pytest.mark.slow
def test_ray_on_this_machine(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    try:
        found = done_in_turn(
            double, [(1, 2), (3, 4), (5, 6)], launcher="ray", jobs=2, logs=tmp_path, options={}
        )
        assert sorted(found) == [(0, 2), (1, 12), (2, 30)]
    finally:
        ray.shutdown()
