"""Training: what the losses are, that runs go on, and what the user's material may be."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from didact_plates.errors import PlatesError
from didact_plates.grammar import ALPHABET, INDEX
from didact_plates.reader import Reader
from didact_plates.reader.network import PlateNet, Widths
from didact_plates.synthetic import KINDS, Examples, draw_examples, draw_plate
from didact_plates.synthetic.examples import NO_LABEL
from didact_plates.train import Plan, main, train_network
from didact_plates.train.distilling import distilled_loss
from didact_plates.train.fitting import Batch, batch_of, ctc_loss, frame_loss, plain_loss
from didact_plates.train.real import crop_examples, named_crops, shapes_of

TINY = Widths(4, 6, 8, 12, 1, 1)
SHORT = Plan(rounds=2, lines=128, calibrate=60)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return draw_examples(256, seed=8)


@pytest.fixture(scope="module")
def batch(examples: Examples) -> Batch:
    return batch_of(examples, np.arange(200, 256))


def perfect(batch: Batch) -> torch.Tensor:
    return F.one_hot(batch.frames, 1 + len(ALPHABET)).float() * 30


def test_frames_that_say_the_labels_cost_least(batch: Batch) -> None:
    right = perfect(batch)
    assert frame_loss(right, batch) < frame_loss(right.roll(1, dims=1), batch)
    assert ctc_loss(right, batch) < 0.05
    assert ctc_loss(right.roll(1, dims=2), batch) > 0.5


def test_lines_without_labels_learn_by_ctc_alone(batch: Batch) -> None:
    untold = Batch(
        batch.lines,
        torch.full_like(batch.frames, NO_LABEL),
        batch.texts,
        torch.full_like(batch.colours, NO_LABEL),
    )
    logits = torch.zeros_like(perfect(batch), requires_grad=True)
    colours = torch.zeros(len(batch.texts), 6, requires_grad=True)
    assert plain_loss(ctc=False)((logits, colours), untold).item() == 0
    value = plain_loss(ctc=True)((logits, colours), untold)
    assert value.item() == pytest.approx(ctc_loss(logits, batch).item())
    value.backward()
    assert logits.grad is not None
    assert colours.grad is None


def test_a_student_that_is_its_teacher_has_no_distillation_loss(batch: Batch) -> None:
    torch.manual_seed(0)
    teacher = PlateNet(TINY).eval()
    outputs = teacher(batch.lines)
    soft = distilled_loss(teacher, temperature=2.0, weight=1.0)(False)(outputs, batch)
    assert soft.item() == pytest.approx(0, abs=2e-3)  # the teacher computes in bfloat16
    other = PlateNet(TINY).eval()(batch.lines)
    assert distilled_loss(teacher, temperature=2.0, weight=1.0)(False)(other, batch) > 1e-2
    half = distilled_loss(teacher, temperature=2.0, weight=0.5)(False)(outputs, batch)
    plain = plain_loss(ctc=False)(outputs, batch)
    assert half.item() == pytest.approx(plain.item() / 2, abs=2e-3)


def test_lines_that_nobody_labelled_learn_from_the_teacher_alone(batch: Batch) -> None:
    torch.manual_seed(0)
    teacher, student = PlateNet(TINY).eval(), PlateNet(TINY).eval()
    untold = Batch(
        batch.lines,
        torch.full_like(batch.frames, NO_LABEL),
        torch.zeros_like(batch.texts),
        torch.full_like(batch.colours, NO_LABEL),
    )
    outputs = student(batch.lines)
    little = distilled_loss(teacher, temperature=2.0, weight=0.1)(True)(outputs, untold)
    soft = distilled_loss(teacher, temperature=2.0, weight=1.0)(True)(outputs, batch)
    assert little.item() == pytest.approx(soft.item(), rel=1e-4)


def test_a_run_in_pieces_is_the_run_in_one(tmp_path: Path) -> None:
    def silent(_: str) -> None: ...

    whole = train_network(SHORT, widths=TINY, seed=3, tell=silent)
    pieces = None
    calls = 0
    while pieces is None:
        calls += 1
        pieces = train_network(
            SHORT, widths=TINY, seed=3, state=tmp_path / "run.pt", seconds=1e-3, tell=silent
        )
        assert calls < 5
    assert calls > 1
    assert whole is not None
    for name, value in whole.state_dict().items():
        assert torch.equal(value, pieces.state_dict()[name]), name


def test_the_command_writes_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("didact_plates.train.QUICK", Plan(rounds=1, lines=128, calibrate=40))
    assert main(tmp_path / "models", quick=True, tell=lambda _: None) == 0
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["student.safetensors"]
    Reader.load(tmp_path / "models" / "student.safetensors")


def test_cut_plates_are_named_by_their_texts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("京A12345.jpg", "京A12345_2.png", "holiday.jpg", "AB12345.jpg"):
        _, coded = cv2.imencode(Path(name).suffix, draw_plate(rng, kind=KINDS[0]).image)
        (tmp_path / name).write_bytes(coded.tobytes())
    crops = named_crops(tmp_path)
    assert [text for text, _ in crops] == ["京A12345", "京A12345"]
    made = crop_examples(crops, times=3, seed=0)
    assert len(made) == 6
    assert [ALPHABET[k - 1] for k in made.texts[0] if k] == list("京A12345")
    assert (made.frames == NO_LABEL).all()
    assert not np.array_equal(made.lines[0], made.lines[2])


def test_a_folder_without_cut_plates_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlatesError, match="no cut plate"):
        named_crops(tmp_path)
    with pytest.raises(PlatesError, match="there is no folder"):
        named_crops(tmp_path / "none")


def test_shapes_come_from_a_file_of_characters(tmp_path: Path) -> None:
    x = np.arange(4 * 400, dtype=np.uint32).astype(np.uint8).reshape(4, 20, 20)
    glyph = np.array(["7", "京"])
    is_test = np.array([False, False, False, True])
    np.savez(tmp_path / "c.npz", x=x, y=np.array([0, 1, 1, 0]), is_test=is_test, glyph=glyph)
    shapes = shapes_of(tmp_path / "c.npz")
    assert len(shapes["7"]) == 1
    assert np.array_equal(shapes["京"], x[1:3])
    assert INDEX["7"] == ALPHABET.index("7")
    np.savez(tmp_path / "wrong.npz", x=x)
    with pytest.raises(PlatesError, match="no file of characters"):
        shapes_of(tmp_path / "wrong.npz")


def test_what_lies_in_the_way_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatesError, match="is a file; expected a folder"):
        main(tmp_path / "file", quick=True)
    with pytest.raises(PlatesError, match="cannot be written"):
        main(tmp_path / "file" / "models", quick=True)
    state = tmp_path / "training.pt"
    state.write_bytes(b"no run")
    with pytest.raises(PlatesError, match="is damaged"):
        main(tmp_path, quick=True)
    torch.save({"of": "another"}, state)
    with pytest.raises(PlatesError, match="other settings"):
        main(tmp_path, quick=True)
