"""The reader that comes with the program, and what it is made of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from didact_plates.errors import ModelFileError
from didact_plates.grammar import ALPHABET, INDEX
from didact_plates.reader import SHIPPED, Reader, ReaderFileError, Reading
from didact_plates.reader.network import STUDENT, TEACHER, PlateNet, Widths
from didact_plates.reader.preparing import VIEWS, View, line_spans, one_row, two_rows
from didact_plates.reader.reading import (
    DOUBTFUL,
    character_scores,
    greedy_text,
    may_have,
    text_scores,
)
from didact_plates.reader.store import folded, save_network
from didact_plates.synthetic import KINDS, distractor, draw_plate, photograph
from didact_plates.synthetic.examples import frame_labels

TINY = Widths(4, 6, 8, 12, 1, 1)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="module")
def easy(reader: Reader) -> list[tuple[str, str, int, Reading]]:
    """Plates of every kind, frontal and in even light, and what is read."""
    rng = np.random.default_rng(77)
    plates, crops = [], []
    for number in range(120):
        plate = draw_plate(rng, kind=KINDS[number % len(KINDS)])
        high = 48 if plate.rows == 1 else 96
        crop = photograph(plate, rng, size=(160, high), hard=0.15)
        plates.append(plate)
        crops.append(crop.image)
    readings = reader.read(crops)
    return [(p.text, p.colour, p.rows, r) for p, r in zip(plates, readings, strict=True)]


def test_easy_plates_are_read(easy: list[tuple[str, str, int, Reading]]) -> None:
    right = [text == reading.text for text, _, _, reading in easy]
    assert np.mean(right) > 0.85


def test_colours_and_rows_are_told(easy: list[tuple[str, str, int, Reading]]) -> None:
    read = [one for one in easy if one[0] == one[3].text]
    assert np.mean([colour == reading.colour for _, colour, _, reading in read]) > 0.9
    assert np.mean([rows == reading.rows for _, _, rows, reading in read]) > 0.95


def test_the_colour_fits_the_text(easy: list[tuple[str, str, int, Reading]]) -> None:
    for _, _, _, reading in easy:
        if reading.text:
            assert (reading.colour == "green") == (len(reading.text) == 8)
    assert list(may_have("京AD12345")) == [False, False, True, False, False]
    assert list(may_have("京A12345")) == [True, True, False, True, True]


def test_what_is_right_is_surer_than_what_is_no_plate(
    reader: Reader, easy: list[tuple[str, str, int, Reading]]
) -> None:
    rng = np.random.default_rng(5)
    nothing = reader.read([distractor(40, 130, rng) for _ in range(80)])
    right = [reading.confidence for text, _, _, reading in easy if text == reading.text]
    assert np.mean([reading.confidence > 0.5 for reading in nothing]) < 0.05
    assert np.median(right) > 0.8
    for _, _, _, reading in easy:
        assert 0 <= reading.confidence <= 1
        assert len(reading.characters) == len(reading.text)
        assert all(0 <= value <= 1 for value in reading.characters)


def test_a_reading_does_not_depend_on_its_neighbours(reader: Reader) -> None:
    rng = np.random.default_rng(9)
    crops = [photograph(draw_plate(rng, kind=KINDS[k]), rng).image for k in (0, 1, 2)]
    together = reader.read(crops)
    for crop, reading in zip(crops, together, strict=True):
        (alone,) = reader.read([crop])
        assert alone.text == reading.text
        assert alone.confidence == pytest.approx(reading.confidence, abs=1e-4)
    assert reader.read([]) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 400, 3), (300, 3, 3), (900, 1500, 3)])
def test_crops_of_any_size_are_taken(reader: Reader, shape: tuple[int, int, int]) -> None:
    (reading,) = reader.read([np.full(shape, 90, dtype=np.uint8)])
    assert reading.confidence < 0.5


def test_the_shipped_file_is_small() -> None:
    assert SHIPPED.stat().st_size < 400_000


def test_sizes_of_the_networks() -> None:
    student, teacher = (
        sum(p.numel() for p in PlateNet(widths).parameters()) for widths in (STUDENT, TEACHER)
    )
    assert student < 300_000
    assert 1_000_000 < teacher < 3_000_000


def test_a_stored_network_reads_as_before(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = PlateNet(TINY)
    network.train()
    for _ in range(3):  # batch norm gets statistics of its own
        network(torch.rand(8, 3, 32, 128) * 255)
    network.eval()
    pixels = torch.rand(4, 3, 32, 128) * 255
    frames, colours = network(pixels)
    again = folded(network)(pixels)
    assert torch.allclose(frames, again[0], atol=1e-4)
    save_network(tmp_path / "r.safetensors", network, 1.5, -0.25)
    reader = Reader.load(tmp_path / "r.safetensors")
    assert (reader.temperature, reader.offset) == (1.5, -0.25)
    stored = reader.network(pixels)
    assert (stored[0] - frames).abs().max() < 0.05 * frames.abs().max()
    assert (stored[1] - colours).abs().max() < 0.05 * colours.abs().max()


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08" + b"\0" * 7 + b"{}      "])
def test_another_file_gets_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ReaderFileError, match="no reader of plates") as caught:
        Reader.load(path)
    assert isinstance(caught.value, ModelFileError)
    with pytest.raises(ReaderFileError, match="there is no file"):
        Reader.load(tmp_path / "missing.safetensors")


def test_both_rows_of_a_plate_lie_on_one_line() -> None:
    """A frame label is on its character: the middle of each span has ink, gaps have none."""
    rng = np.random.default_rng(2)
    kind = next(kind for kind in KINDS if kind.rows == 2)
    plate = draw_plate(rng, kind=kind, text="京A88888", scale=0.5)
    height, width = plate.image.shape[:2]
    spans = plate.boxes[:, [0, 2, 1, 3]] / (width, width, height, height)
    line = two_rows(plate.image)
    assert line.shape == (32, 128, 3)
    placed = line_spans(spans, 2)
    assert (np.diff(placed[:, 0]) > 0).all()
    dark = 255 - cv2.cvtColor(line, cv2.COLOR_BGR2GRAY).astype(float)
    for left, right in placed[2:]:
        ink = dark[8:24, round(left) : round(right)].max(0)
        assert ink.max() > 150
    labels = frame_labels("京A88888", placed)
    assert [ALPHABET[k - 1] for k, before in zip(labels, [0, *labels[:-1]], strict=True)
            if k and k != before] == list("京A88888")  # fmt: skip


def test_one_row_keeps_what_is_small_sharp() -> None:
    image = np.zeros((24, 94, 3), dtype=np.uint8)
    image[:, ::2] = 255
    assert one_row(image).shape == (32, 128, 3)
    large = np.random.default_rng(0).integers(0, 255, (320, 1280, 3), dtype=np.uint8)
    assert one_row(large).std() < 15  # averaged, not picked


def test_scores_are_those_of_ctc() -> None:
    torch.manual_seed(1)
    frames = torch.randn(2, 32, 1 + len(ALPHABET)).log_softmax(-1)
    texts = ["京A12345", "沪AD12345"]
    found = text_scores(frames.numpy(), texts)
    for row, text in enumerate(texts):
        target = torch.tensor([[1 + INDEX[character] for character in text]])
        loss = F.ctc_loss(frames[row][:, None], target, (32,), (len(text),), reduction="sum")
        assert found[row] == pytest.approx(-loss.item(), abs=1e-3)


def test_characters_have_the_probability_of_their_own_frames() -> None:
    text = "京A88345"
    frames = np.full((32, 1 + len(ALPHABET)), 1e-4)
    frames[:, 0] = 1.0
    for place, character in enumerate(text):
        sure = 0.5 + 0.05 * place
        frames[4 * place + 1] = (1 - sure) / len(ALPHABET)
        frames[4 * place + 1, 1 + INDEX[character]] = sure
    frames /= frames.sum(1, keepdims=True)
    found = character_scores(np.log(frames), text)
    assert found == pytest.approx([0.5 + 0.05 * k for k in range(7)], abs=0.01)
    assert greedy_text(np.log(frames)) == text


def test_doubtful_crops_are_looked_at_again(reader: Reader) -> None:
    rng = np.random.default_rng(12)
    crops = [
        photograph(draw_plate(rng, kind=KINDS[0]), rng, size=(160, 48)).image for _ in range(60)
    ]
    once, again = reader.read_once(crops), reader.read(crops)
    changed = [b for a, b in zip(once, again, strict=True) if a != b]
    assert changed
    for before, after in zip(once, again, strict=True):
        assert after.confidence >= before.confidence
        if before.confidence > DOUBTFUL or not before.text:
            assert after == before


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_a_view_takes_back_what_turned_the_crop(view: View) -> None:
    """A point of the crop lands where the view's formula says; the size stays."""
    crop = np.zeros((60, 200, 3), dtype=np.uint8)
    x, y = 0.25, -0.2  # from the middle, in parts of width and height
    across = x * view.broad + view.slant * y * view.high
    down = y * view.high + view.tilt * x * view.broad
    column, row = round((across + 0.5) * 200), round((down + 0.5) * 60)
    cv2.circle(crop, (column, row), 3, (255, 255, 255), -1)
    seen = view.of(crop)
    assert seen.shape == crop.shape
    rows, columns = np.nonzero(seen[:, :, 0] > 128)
    assert columns.mean() / 200 - 0.5 == pytest.approx(x, abs=0.02)
    assert rows.mean() / 60 - 0.5 == pytest.approx(y, abs=0.03)
