"""What a teacher said comes back as it was said, or not at all."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lm.teaching import CLASSES, WORDS, Model, build, files, rows

from didact._core.errors import (
    CheckpointError,
    DidactError,
    RangeError,
    RunFolderError,
    ShapeError,
    UsageError,
)
from didact.lm import TeacherCache, digest_of_model
from didact.lm.cache import capture as making
from didact.lm.cache.packing import bits_of, pack, quantise, restore, unpack
from didact.losses import TopK, top_k_kd


@pytest.mark.parametrize("ids", ["packed", "int32"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_is_read_is_what_the_teacher_said_to_the_bit(
    tmp_path: Path, dtype: torch.dtype, ids: str
) -> None:
    teacher, data = Model(dtype=dtype), rows()
    cache = build(tmp_path / "c", teacher=teacher, ids=ids)
    assert teacher.training, "it is given back as it was"
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = TopK.of(teacher.eval()(data[order]), 5, temperatures=(1.0, 2.0))
    for found in (cache.read(data[order]), cache.read(data[order], rows=order)):
        assert torch.equal(found.ids, expected.ids)
        assert torch.equal(found.logits, expected.logits)
        assert torch.equal(found.log_z, expected.log_z)
        assert (found.temperatures, found.classes) == ((1.0, 2.0), CLASSES)
    assert len(cache) == 30
    assert len(list((tmp_path / "c").glob("shard-*"))) == 10


def test_rows_may_differ_in_length_and_come_back_padded(tmp_path: Path) -> None:
    lengths = [3, 3, 7, 1, 5, 5, 5, 2]
    data = [rows(1, length, seed)[0] for seed, length in enumerate(lengths)]
    cache = build(tmp_path / "c", data=data)
    batch, mask = torch.zeros(3, 9, dtype=torch.int64), torch.zeros(3, 9, dtype=torch.bool)
    for place, (number, start) in enumerate(((2, 0), (3, 8), (5, 2))):
        batch[place, start : start + lengths[number]] = data[number]
        mask[place, start : start + lengths[number]] = True
    found = cache.read(batch, mask=mask)
    for place, number in enumerate((2, 3, 5)):
        expected = TopK.of(Model().eval()(data[number][None]), 5, temperatures=(1.0, 2.0))
        assert torch.equal(found[place].ids[mask[place]], expected.ids[0])
        logits = found[place].logits[mask[place]]  # a batch of another size may round otherwise
        torch.testing.assert_close(logits, expected.logits[0], rtol=0, atol=1e-6)
    student = torch.randn(3, 9, CLASSES)
    assert top_k_kd(student, found, mask=mask).isfinite()
    assert top_k_kd(student, found).isfinite()
    with pytest.raises(CheckpointError, match="row 0 of the batch is none that the teacher saw"):
        cache.read(batch)


def test_training_from_a_whole_cache_is_training_with_the_teacher(tmp_path: Path) -> None:
    teacher, data = Model(seed=1).eval(), rows(32)
    cache = build(tmp_path / "c", teacher=teacher, data=data, k=CLASSES)
    students = []
    for cached in (False, True):
        student = Model(seed=2).eval()
        optimizer = torch.optim.AdamW(student.parameters(), lr=0.01)
        draw = torch.Generator().manual_seed(3)
        for _ in range(50):
            batch = data[torch.randint(32, (4,), generator=draw)]
            with torch.no_grad():
                said = cache.read(batch) if cached else teacher(batch)
            optimizer.zero_grad()
            top_k_kd(student(batch), said, k=CLASSES, temperature=2.0).backward()
            optimizer.step()
        students.append(student)
    both = [dict(student.state_dict()) for student in students]
    assert all(torch.equal(value, both[1][name]) for name, value in both[0].items())
    assert not torch.equal(both[0]["head.weight"], Model(seed=2).head.weight)


def test_eight_bits_keep_the_likely_and_say_what_is_lost(tmp_path: Path) -> None:
    exact, small = build(tmp_path / "a"), build(tmp_path / "b", logits="u8")
    data = rows()[:4]
    one, two = exact.read(data), small.read(data)
    assert torch.equal(one.ids, two.ids)
    span = one.logits.amax(-1, True) - one.logits.amin(-1, True)
    assert ((one.logits - two.logits).abs() <= span / 250).all()
    gaps = [(kept.logits - kept.log_z[..., :1]).exp() for kept in (one, two)]
    assert (gaps[0] - gaps[1]).abs().max() < 5e-3
    assert small.verify(against=Model(), rows=data).largest > 0
    checked = exact.verify(against=Model(), rows=data)
    assert (checked.largest, checked.control, checked.rows, checked.files) == (0, 0, 4, 10)


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "teacher": ({"teacher": Model(seed=9)}, r"another teacher \(weights\)"),
    "tokenizer": ({"tokenizer": [*WORDS[:-1], "other"]}, "another tokenizer"),
    "data": ({"data": rows(seed=5)}, "another data"),
    "order": ({"data": rows().flip(0)}, "another data"),
    "k": ({"k": 6}, "another k: 5 there, 6 now"),
    "temperature": ({"temperatures": (1.0, 3.0)}, "another temperatures"),
    "precision": ({"logits": "u8"}, "another logits"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_folder_of_another_cache_is_refused_by_name(tmp_path: Path, what: str) -> None:
    build(tmp_path)
    before, (other, words) = files(tmp_path), OTHERS[what]
    with pytest.raises(CheckpointError, match=words):
        build(tmp_path, **other)
    assert files(tmp_path) == before


def test_temperatures_are_a_set(tmp_path: Path) -> None:
    build(tmp_path / "a", temperatures=(2, 1.0, 2.0))
    assert TeacherCache.open(tmp_path / "a").header.temperatures == (1.0, 2.0)
    build(tmp_path / "a", temperatures=(1.0, 2.0))
    for options, words in (
        ({"temperatures": ()}, "temperatures is empty"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"tokens_in_shard": 0}, "tokens_in_shard is 0"),
    ):
        with pytest.raises(DidactError, match=words):
            build(tmp_path / "b", **options)


def test_a_cache_is_opened_for_its_own_teacher_tokenizer_and_temperature_alone(
    tmp_path: Path,
) -> None:
    build(tmp_path)
    TeacherCache.open(tmp_path, tokenizer=WORDS, teacher=Model(), temperature=2.0)
    swapped = [WORDS[1], WORDS[0], *WORDS[2:]]
    with pytest.raises(UsageError, match=r"2 of 37 ids mean another token.*0 is 'w1'"):
        TeacherCache.open(tmp_path, tokenizer=swapped)
    with pytest.raises(UsageError, match="another teacher"):
        TeacherCache.open(tmp_path, teacher=Model(seed=1))
    with pytest.raises(UsageError, match=r"knows 1\.0, 2\.0 only"):
        TeacherCache.open(tmp_path, temperature=4.0)
    with pytest.raises(UsageError, match=r"knows its normaliser at 1\.0, 2\.0"):
        top_k_kd(torch.zeros(2, 8, CLASSES), TeacherCache(tmp_path).read(rows()[:2]), temperature=4)
    changed = Model()
    with torch.no_grad():
        changed.head.bias[3] += 1e-6
    assert digest_of_model(changed) != digest_of_model(Model())


def test_other_data_at_a_row_is_seen_when_it_is_read(tmp_path: Path) -> None:
    cache, data = build(tmp_path), rows()
    with pytest.raises(CheckpointError, match=r"row 3 .* other token ids"):
        cache.read(data[2:3], rows=[3])
    changed = data[2:3].clone()
    changed[0, 5] = (changed[0, 5] + 1) % CLASSES
    with pytest.raises(CheckpointError, match="other token ids"):
        cache.read(changed, rows=[2])
    with pytest.raises(CheckpointError, match="none that the teacher saw"):
        cache.read(changed)
    with pytest.raises(RangeError, match="row is 30"):
        cache.read(data[:1], rows=[30])
    with pytest.raises(ShapeError, match="2 rows for 1 texts"):
        cache.read(data[:1], rows=[0, 1])


@pytest.mark.parametrize("torn", [False, True])
def test_a_capture_that_is_cut_off_at_any_file_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bool
) -> None:
    build(tmp_path / "whole")
    whole, written = files(tmp_path / "whole"), making.write_rows
    for last in range(10):
        folder = tmp_path / f"cut-{last}"

        def cut(path: Path, header: Any, number: int, *rest: Any, last: int = last) -> None:
            written(path, header, number, *rest)
            if number == last:
                (path.parent / ".didact-1-dead.tmp").write_bytes(b"half")
                if torn:  # a disk that kept the name and not the content
                    path.write_bytes(path.read_bytes()[:-7])
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("didact.lm.cache.teacher_cache.write_rows", cut)
            with pytest.raises(KeyboardInterrupt):
                build(folder)
        if last < 9:
            with pytest.raises(RunFolderError, match=f"{9 - last} of 10 files are missing"):
                TeacherCache.open(folder)
        build(folder)
        assert files(folder) == whole


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    cache = build(tmp_path)
    flip, names = random.Random(0), sorted(files(tmp_path))
    for name in names * 6:
        path = tmp_path / name
        whole = path.read_bytes()
        place = flip.randrange(8 * len(whole))
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"is damaged|of format|another cache"):
            TeacherCache.open(tmp_path).verify()
        path.write_bytes(whole)
    assert cache.verify().files == 10


def test_files_that_change_places_are_found(tmp_path: Path) -> None:
    build(tmp_path)
    one, two = (tmp_path / f"shard-00000{number}.safetensors" for number in (1, 2))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    with pytest.raises(CheckpointError, match="another place"):
        TeacherCache.open(tmp_path).verify()
    with pytest.raises(CheckpointError, match="another place"):
        TeacherCache.open(tmp_path).read(rows()[3:4], rows=[3])


def test_what_is_no_cache_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no cache of a teacher"):
        TeacherCache.open(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="something else"):
        build(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "header.json").write_text(json.dumps({"format": "didact-topk/9"}))
    with pytest.raises(CheckpointError, match="didact-topk/9"):
        TeacherCache.open(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"teacher": lambda ids: torch.zeros(*ids.shape, 4)}, "digest="),
        ({"teacher": lambda ids: torch.zeros(4), "digest": "x"}, "expected logits"),
        ({"data": rows().int()}, "int32"),
        ({"data": []}, "no rows"),
        ({"data": [torch.zeros(0, dtype=torch.int64)]}, r"row 0 is \(0,\)"),
        ({"k": 0}, "k is 0"),
        ({"temperatures": (0.0,)}, "temperature is 0"),
        ({"ids": "zip"}, "ids is 'zip'"),
        ({"logits": "u4"}, "logits is 'u4'"),
        ({"tokenizer": [*WORDS, "more"]}, "own tokenizer"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(DidactError, match=words):
        build(tmp_path / "c", **options)
    assert not (tmp_path / "c").exists()


def test_its_size_is_what_was_promised(tmp_path: Path) -> None:
    classes, k = 128_256, 64

    def teacher(ids: torch.Tensor) -> torch.Tensor:
        generator = torch.Generator().manual_seed(int(ids[0, 0]))
        return torch.randn(*ids.shape, classes, generator=generator)

    data = torch.arange(128)[None]
    cache = TeacherCache.build(tmp_path, teacher, data, k=k, digest="x", logits="u8")
    assert cache.info()["bytes_per_token"] < 215 + 1000 / 128  # of a file its head
    assert set(cache.read(data).ids[0, 0].tolist()) == set(
        teacher(data)[0, 0].topk(k).indices.tolist()
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_packed_ids_come_back(data: st.DataObject) -> None:
    classes = data.draw(st.integers(2, 1 << 25))
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 70)))
    drawn = np.random.default_rng(data.draw(st.integers(0, 99)))
    ids = drawn.integers(classes, size=shape)
    ids.flat[0] = classes - 1
    packed = pack(ids, bits_of(classes))
    assert packed.shape[1] * 8 <= (shape[1] + 7) * bits_of(classes)
    assert np.array_equal(unpack(packed, shape[1], bits_of(classes)), ids)


@pytest.mark.parametrize("logits", [[[3.0, 3.0]], [[1e4, -1e4]], [[5.0]], [[-80.0, -81.0, -95.0]]])
def test_steps_bear_any_logits(logits: list[list[float]]) -> None:
    given_ = np.array(logits, np.float32)
    found = restore(*quantise(given_))
    assert np.abs(found - given_).max() <= (given_.max() - given_.min()) / 250
    assert found.max() == given_.max()
