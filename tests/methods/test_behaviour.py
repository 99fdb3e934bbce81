"""What single methods do to their networks, and how they compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.methods.support import data, run, settings_for, stripes, watched

from didact._core.errors import ModelError, RangeError, UsageError
from didact.data import Memory, Task, herding
from didact.methods import METHODS, Setting, build_options
from didact.methods.kit.balanced import class_balanced, class_representatives, draw_per_class
from didact.nn import CosineHead, build_model
from didact.train import learn


def last(name: str, folder: Path, **changes: Any) -> float:
    """Mean accuracy over tasks after the last one, and over the seeds."""
    settings = settings_for(name, model="mlp-24", epochs=12, memory=18, **changes)
    found = learn(output=folder, **settings).summary["methods"][name]
    rows = [seed[-1] for seed in found["matrices"]]
    return sum(sum(row) / len(row) for row in rows) / len(rows)


def test_the_usual_order_of_methods(tmp_path: Path) -> None:
    finetune, lwf, icarl, joint = (
        last(name, tmp_path / name, seeds=(0, 1, 2))
        for name in ("finetune", "lwf", "icarl", "joint")
    )
    assert finetune < lwf < icarl <= joint


def test_the_classes_of_the_cross_entropy_decide_lwf(tmp_path: Path) -> None:
    new = last("lwf", tmp_path / "new")
    seen = last("lwf", tmp_path / "seen", method_options={"lwf.classes": "seen"})
    assert seen < new - 0.1


def test_wa_ends_with_vectors_of_one_length(tmp_path: Path) -> None:
    with watched() as seen:
        run("wa", tmp_path / "run")
    lengths = seen.networks[-1]["classifier.weight"].norm(dim=1)
    assert float(lengths[:4].mean()) == pytest.approx(float(lengths[4:].mean()), rel=1e-5)
    assert bool((seen.networks[-1]["classifier.weight"] >= 0).all())


def test_lucir_leaves_old_vectors_where_they_were(tmp_path: Path) -> None:
    with watched() as seen:
        run("lucir", tmp_path / "run")
    for before, after in zip(seen.networks, seen.networks[1:], strict=False):
        old = before["classifier.weight"]
        assert torch.equal(after["classifier.weight"][: len(old)], old)


@pytest.mark.parametrize("name", ["der", "memo"])
def test_expansion_leaves_old_parts_where_they_were(name: str, tmp_path: Path) -> None:
    with watched() as seen:
        options = {"memo.freeze_body": True} if name == "memo" else {"der.classifier_epochs": 2}
        run(name, tmp_path / "run", method_options=options)
    frozen = [key for key in seen.networks[1] if key.startswith(("backbones.", "body.", "added."))]
    newest = ("backbones.1.", "added.0.")
    moved = 0
    for key in frozen:
        same = torch.equal(seen.networks[0].get(key, seen.networks[1][key]), seen.networks[1][key])
        assert same, key
        assert torch.equal(seen.networks[1][key], seen.networks[2][key]), key
        moved += key.startswith(newest)
    assert moved
    width = [state["classifier.weight"].shape[1] for state in seen.networks]
    assert width == [width[0], 2 * width[0], 3 * width[0]]


def test_frozen_backbones_do_not_move(tmp_path: Path) -> None:
    with watched() as seen:
        run("slda", tmp_path / "run")
    for name, value in seen.networks[0].items():
        assert torch.equal(value, seen.networks[-1][name])


def test_an_untrained_backbone_can_be_kept(tmp_path: Path) -> None:
    with watched() as seen:
        run("simplecil", tmp_path / "run", method_options={"simplecil.train_first": False})
    assert float(seen.networks[0]["layer1.1.running_mean"].abs().max()) == 0.0


def test_si_gains_importance_where_parameters_moved(tmp_path: Path) -> None:
    """Importance is gained by the way that a parameter has gone: next to none without a way."""
    totals = []
    for rate in (0.05, 1e-6):
        with watched() as seen:
            run("si", tmp_path / str(rate), learning_rate=rate)
        importances = seen.methods[-1].kept.under("importances")
        assert all(bool((value >= 0).all()) for value in importances.values())
        named = dict(seen.methods[-1].network.named_parameters())
        assert {name.split("network.")[-1] for name in importances} <= set(named)
        totals.append(sum(float(value.sum()) for value in importances.values()))
    assert totals[0] > 1e-3
    assert totals[1] < 1e-3 * totals[0]


def test_bic_holds_out_the_same_number_of_each_class(tmp_path: Path) -> None:
    with watched() as seen:
        run("bic", tmp_path / "run")
    method = seen.methods[-1]
    trained, held_out = method._divided(method.task)
    assert held_out is not None
    counts = torch.bincount(held_out.labels, minlength=6)
    assert len(counts.unique()) == 1
    everything = method.with_exemplars(method.task.train)
    assert len(trained) + len(held_out) == len(everything)


def test_class_balanced_takes_the_rarest_count() -> None:
    split = stripes(20, 0).subset(torch.tensor([0, 6, 12, 1, 7, 2, 8, 14]))
    balanced = class_balanced(split, torch.Generator().manual_seed(0))
    assert torch.bincount(balanced.labels).tolist() == [2, 2, 2]


def test_class_representatives_are_herded_down_to_the_rarest_count() -> None:
    split = stripes(20, 0).subset(torch.tensor([0, 6, 12, 18, 1, 7, 13, 2, 8]))
    features = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    chosen = class_representatives(split, features)
    assert torch.bincount(chosen.labels).tolist() == [2, 2, 2]
    of_first = torch.arange(4)[herding(features[:4], 2)].sort().values
    assert torch.equal(chosen.images[:2], split.images[of_first])
    of_last = torch.tensor([7, 8])
    assert torch.equal(chosen.images[4:], split.images[of_last])


def test_der_plus_plus_refuses_a_memory_without_logits(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reservoir"):
        learn(output=tmp_path / "run", **settings_for("der++", exemplars="herding"))
    assert not (tmp_path / "run").exists()


def test_memo_refuses_a_network_that_it_cannot_cut(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be cut into a body and a last stage"):
        learn(output=tmp_path / "run", **settings_for("memo", model="mlp-8"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("lwf.classes", "old", UsageError),
        ("lwf.temperature", 0.0, RangeError),
        ("icarl.loss", "hinge", UsageError),
        ("bic.held_out", 1.5, RangeError),
        ("foster.boosting_beta", 1.0, RangeError),
        ("podnet.proxies", 0, RangeError),
        ("ranpac.width", 0, RangeError),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: Any, error: type) -> None:
    name, _, key = option.partition(".")
    with pytest.raises(error, match=key.replace("_", ".")):
        build_options(METHODS[name], {key: value})


def test_podnet_scale_stays_positive(tmp_path: Path) -> None:
    with watched() as seen:
        run("podnet", tmp_path / "run", epochs=6, learning_rate=0.5)
    assert all(float(state["classifier.scale"]) >= 1 for state in seen.networks)


def test_the_cosine_head_is_taken_over_by_the_next_task() -> None:
    setting = Setting(
        build_network=lambda n: build_model("mlp-8", image_shape=(1, 6, 6), num_classes=n),
        seed=0,
        epochs=1,
        batch_size=8,
        mean=(0.5,),
        std=(0.5,),
    )
    entry = METHODS["podnet"]
    method = entry.method(entry.method.Options(proxies=3), setting, Memory(total=0))
    method.grow(Task(0, (0, 1), (0, 1), 0, 2, stripes(4, 0)))
    before = method.network.classifier.weight.clone()
    method.grow(Task(1, (2,), (2,), 2, 3, stripes(4, 0)))
    head = method.network.classifier
    assert isinstance(head, CosineHead)
    assert head.weight.shape == (3, 3, 8)
    assert torch.equal(head.weight[:2], before)


def test_both_losses_of_icarl_learn(tmp_path: Path) -> None:
    softmax = last("icarl", tmp_path / "run", method_options={"icarl.loss": "softmax"})
    assert softmax > last("finetune", tmp_path / "finetune") + 0.2


def test_eeil_tunes_with_two_teachers(tmp_path: Path) -> None:
    with watched() as seen:
        run("eeil", tmp_path / "run", method_options={"eeil.balanced_epochs": 2})
    method = seen.methods[-1]
    assert method.head_sizes == [2, 2, 2]
    tuned_on = method.stage.split
    assert len(torch.bincount(tuned_on.labels).unique()) == 1
    new = method.task.train.subset((method.task.train.labels == 5).nonzero().flatten())
    features = method.map_images(new, method.trained_features)
    typical = herding(features, int((tuned_on.labels == 5).sum())).sort().values
    assert 0 < len(typical) < len(new)
    assert torch.equal(tuned_on.images[tuned_on.labels == 5], new.images[typical])
    before_tuning = method.trained_network.model.state_dict()
    after = seen.networks[-1]
    assert not torch.equal(before_tuning["classifier.weight"], after["classifier.weight"])
    assert torch.equal(
        method.teacher.model.classifier.weight, seen.networks[1]["classifier.weight"]
    )


def test_online_ewc_fades_what_it_holds_on_to(tmp_path: Path) -> None:
    options = {"ewc-online.decay": 0.25, "ewc-online.weight": 2.0}
    with watched() as seen:
        run("ewc-online", tmp_path / "run", method_options=options)
    method = seen.methods[-1]
    for name, fisher in method.kept.under("fisher").items():
        torch.testing.assert_close(method.penalty_weights()[name], (0.5 * fisher).clamp(max=10))


def test_bic_trains_on_a_rare_class_before_it_holds_it_out() -> None:
    """Of 9 images among 130 of each other class one is held out, and of a single one none."""
    labels = torch.cat([torch.full((count,), k) for k, count in enumerate((130, 130, 9, 1))])
    places = draw_per_class(labels, 13, torch.Generator().manual_seed(0), fraction=0.1)
    assert torch.bincount(labels[places], minlength=4).tolist() == [13, 13, 1, 0]


def test_bic_learns_a_rare_new_class(tmp_path: Path) -> None:
    few = stripes(60, 0)
    rare = few.subset(torch.cat([(few.labels != 5).nonzero().flatten(), torch.tensor([5, 11])]))
    whole = replace(data(), train=rare, labelled=torch.ones(len(rare), dtype=torch.bool))
    settings = settings_for("bic", made=lambda: whole, memory=48, memory_per_class=None)
    with watched() as seen:
        learn(output=tmp_path / "run", **settings, class_order="natural")
    method = seen.methods[-1]
    trained, _ = method._divided(method.task)
    assert 5 in trained.labels.tolist()
