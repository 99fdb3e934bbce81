"""Each method's loss is the formula of its paper, read here once more in plain torch.

Every hyperparameter has a value that is not its default, so that one that is ignored is seen. The
network is tiny and in float64; the tasks have three, two and four classes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.methods.state import (
    Loop,
    Watch,
    batch_of,
    build,
    normalised,
    one_thread,
    scores,
    stripes,
    tasks_of,
)
from torch import Tensor, nn

from didact.data import Batch, Memory, generator_for
from didact.methods import METHODS, Method

SIZES, EACH, KNOWN, SEEN = (3, 2, 4), 6, 5, 9
HEADS = [(0, 3), (3, 5)]
OPTIONS: dict[str, dict[str, Any]] = {
    "agem": {"reference_batches": 2},
    "aper": {"train_first": False, "tune": "ssf"},
    "bic": {"temperature": 3.0, "held_out": 0.5},
    "coda-prompt": {
        "components": 3,
        "length": 4,
        "layers": 1,
        "orthogonality": 0.3,
        "train_first": False,
    },
    "der": {"auxiliary": 0.4, "temperature": 3.0, "classifier_epochs": 3},
    "der++": {"alpha": 0.35, "beta": 0.8, "outputs": 11},
    "dualprompt": {
        "general": 1,
        "general_length": 2,
        "expert": 1,
        "expert_length": 3,
        "pull": 0.4,
        "train_first": False,
    },
    "ease": {"inner": 5, "alpha": 0.3},
    "eeil": {"temperature": 3.0, "balanced_epochs": 1, "balanced_rate": 0.3},
    "ewc": {"weight": 3.0, "samples": 500, "classes": "seen"},
    "ewc-online": {"weight": 3.0, "samples": 500, "classes": "seen", "decay": 0.6},
    "foster": {
        "temperature": 3.0,
        "boosting_beta": 0.9,
        "compression_beta": 0.8,
        "compression_epochs": 1.5,
    },
    "gem": {"strength": 0.3, "classes": "new"},
    "icarl": {"loss": "softmax", "temperature": 3.0, "weight": 0.7, "mirrored": "always"},
    "joint": {"from_scratch": True},
    "l2p": {"pool": 4, "length": 2, "chosen": 3, "pull": 0.4, "train_first": False},
    "lucir": {"weight": 3.0, "margin": 0.8, "negatives": 3, "margin_weight": 0.6},
    "lwf": {"temperature": 3.0, "weight": 0.7, "classes": "seen", "warm_up": 2},
    "mas": {"weight": 0.3, "samples": 500, "classes": "seen"},
    "memo": {"auxiliary": 0.4, "freeze_body": True},
    "podnet": {
        "spatial": 2.0,
        "flat": 0.7,
        "proxies": 3,
        "margin": 0.35,
        "balanced_epochs": 1,
        "balanced_rate": 0.3,
    },
    "ranpac": {"width": 40, "train_first": False, "tune": "ssf"},
    "si": {"weight": 0.3, "damping": 0.5, "classes": "seen"},
    "simplecil": {"train_first": False, "tune": "ssf"},
    "slca": {"slow": 0.5, "align_epochs": 1, "temperature": 0.3},
    "slda": {"shrinkage": 0.2, "train_first": False, "tune": "ssf"},
    "ssil": {"temperature": 3.0, "replay_share": 0.5},
    "wa": {"temperature": 3.0, "clip_weights": False},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.mark.parametrize("name", sorted(METHODS))
def test_no_hyperparameter_here_has_its_default(name: str) -> None:
    defaults = METHODS[name].method.Options()
    given = OPTIONS.get(name, {})
    wanted = sorted(field.name for field in fields(defaults))
    assert sorted(given) == wanted, f"give each option of {name} another value in OPTIONS"
    assert all(value != getattr(defaults, key) for key, value in given.items())


# The formulas' parts


def ce(logits: Tensor, labels: Tensor) -> Tensor:
    """``-log softmax(z)_y``, averaged."""
    shifted = logits - logits.max(dim=1, keepdim=True).values
    chosen = shifted[torch.arange(len(labels)), labels]
    return (shifted.exp().sum(1).log() - chosen).mean()


def kl(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
    """``KL(softmax(t/T) || softmax(s/T))``, averaged, without any factor."""
    p, q = F.softmax(teacher / temperature, 1), F.softmax(student / temperature, 1)
    return (p * (p.log() - q.log())).sum(1).mean()


def binary(logits: Tensor, old: Tensor, labels: Tensor) -> Tensor:
    """The yes-or-no questions of iCaRL."""
    targets = F.one_hot(labels, logits.shape[1]).double()
    targets[:, : old.shape[1]] = 1 / (1 + (-old).exp())
    yes = 1 / (1 + (-logits).exp())
    return -(targets * yes.log() + (1 - targets) * (1 - yes).log()).sum(1).mean()


def cosines(vectors: Tensor, features: Tensor) -> Tensor:
    """Of each feature with each vector; several vectors of a class are averaged by softmax."""
    found = torch.stack(
        [
            (features @ vectors[:, k].T)
            / (features.norm(dim=1, keepdim=True) * vectors[:, k].norm(dim=1))
            for k in range(vectors.shape[1])
        ],
        dim=2,
    )
    return (found.softmax(2) * found).sum(2)


def flat(parameters: Any, loss: Tensor) -> Tensor:
    """The gradient of a loss as one vector."""
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(p) if g is None else g).flatten()
            for p, g in zip(parameters, found, strict=True)
        ]
    )


# The states


class State:
    """The third task under way: two tasks learned, and two steps of the stage's training."""

    def __init__(
        self,
        name: str,
        stage: int = 0,
        *,
        per_class: int = 4,
        each: int = EACH,
        augment: str = "none",
        before_step: Watch | None = None,
        after_step: Watch | None = None,
        **changes: Any,
    ) -> None:
        exemplars = METHODS[name].method.exemplars
        memory = Memory(exemplars or "herding", per_class=per_class if exemplars else 0)
        options = {**OPTIONS.get(name, {}), **changes}
        self.method: Any = build(name, options, memory=memory, augment=augment)
        self.splits = stripes(SIZES, each)
        tasks = tasks_of(self.splits, with_earlier=self.method.sees_all_tasks)
        self.loop = Loop(self.method, before_step=before_step, after_step=after_step)
        self.loop.learn(tasks[0])
        self.loop.learn(tasks[1])
        self.old: Any = copy.deepcopy(self.method.network).eval()
        self.task = tasks[2]
        self.stages = self.loop.begin(self.task)
        for done in self.stages[:stage]:
            self.loop.train(done)
            self.method.after_stage(self.method.stage)
        if self.stages:
            self.loop.train(self.stages[stage], steps=2)
            self.split = self.method.stage.split
            size = len(self.split)
            order = torch.randperm(size, generator=torch.Generator().manual_seed(3))
            self.batch = batch_of(self.split, order[: max(size - 3, 2)])
            self.images, self.labels = self.batch.images, self.batch.labels

    @property
    def logits(self) -> Tensor:
        found: Tensor = self.method.network(self.images)
        return found

    @property
    def old_logits(self) -> Tensor:
        with torch.no_grad():
            found: Tensor = self.old(self.images)
        return found

    @property
    def exemplars(self) -> tuple[Tensor, Tensor]:
        """All of them, normalised, and their labels."""
        split = self.method.memory.split()
        return normalised(split.images), split.labels

    def with_exemplars(self) -> tuple[Tensor, Tensor]:
        """The batch followed by everything in the memory."""
        images, labels = self.exemplars
        return torch.cat([self.images, images]), torch.cat([self.labels, labels])

    def drawing_all(self, factor: float = 1.0) -> None:
        """Give steps the size with which a draw from the memory is the whole of it."""
        size = round(len(self.method.memory) / factor)
        assert size * factor == len(self.method.memory)
        self.method.setting = replace(self.method.setting, batch_size=size)

    def terms_are(self, *expected: Tensor | float, rtol: float = 1e-5) -> None:
        """The method's terms in their order, and the gradient of their sum."""
        found = self.method.losses(self.batch)
        assert len(found) == len(expected), list(found)
        for (name, term), value in zip(found.items(), expected, strict=True):
            wanted = torch.as_tensor(value, dtype=torch.float64)
            torch.testing.assert_close(
                term.double(), wanted.detach(), rtol=rtol, atol=1e-7, msg=lambda m, n=name: n + m
            )
        parameters = [p for p in self.method.parameters() if p.requires_grad]
        left = flat(parameters, torch.stack([t.double() for t in found.values()]).sum())
        right = flat(parameters, torch.stack([torch.as_tensor(t) for t in expected]).sum())
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-6)


def counts_of(labels: Tensor) -> list[int]:
    return [int((labels == label).sum()) for label in range(SEEN)]


# Cross-entropy alone


def test_finetune() -> None:
    state = State("finetune")
    assert counts_of(state.split.labels) == [0] * KNOWN + [EACH] * 4
    state.terms_are(ce(state.logits, state.labels))


def test_joint() -> None:
    state = State("joint")
    assert counts_of(state.split.labels) == [EACH] * SEEN
    state.terms_are(ce(state.logits, state.labels))


@pytest.mark.parametrize("from_scratch", [True, False])
def test_joint_begins_with_a_new_network_where_asked_for(from_scratch: bool) -> None:
    loop = Loop(build("joint", {"from_scratch": from_scratch}))
    tasks = tasks_of(stripes(SIZES, EACH), with_earlier=True)
    loop.learn(tasks[0])
    old: Any = loop.before[0].network
    loop.begin(tasks[1])
    new: Any = loop.method.network
    assert new.classifier.out_features == KNOWN
    assert torch.equal(new.stem[0].weight, old.stem[0].weight) != from_scratch
    assert torch.equal(new.classifier.weight[:3], old.classifier.weight) != from_scratch
    assert bool((new.stem[1].running_mean == 0).all()) == from_scratch


def test_replay() -> None:
    state = State("replay")
    assert counts_of(state.split.labels) == [0] * KNOWN + [EACH] * 4
    state.drawing_all()
    images, labels = state.with_exemplars()
    state.terms_are(ce(state.method.network(images), labels))


def test_replay_stores_each_image_once_while_it_is_learned() -> None:
    memory = Memory("reservoir", per_class=50)
    loop = Loop(build("replay", {}, memory=memory))
    for task in tasks_of(stripes(SIZES, EACH)):
        loop.learn(task)
    assert counts_of(memory.labels) == [EACH] * SEEN


# Distillation


@pytest.mark.parametrize("augment", ["none", "flip"])
@pytest.mark.parametrize("classes", ["new", "seen"])
def test_lwf(classes: str, augment: str) -> None:
    state = State("lwf", 1, classes=classes, augment=augment)
    z, y = state.logits, state.labels
    classification = ce(z, y) if classes == "seen" else ce(z[:, KNOWN:], y - KNOWN)
    state.terms_are(classification, 0.7 * 3.0**2 * kl(state.old_logits, z[:, :KNOWN], 3.0))


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_the_warm_up_of_lwf_moves_the_new_outputs_alone(classes: str) -> None:
    state = State("lwf", classes=classes)
    stage, network = state.method.stage, state.method.network
    assert (stage.name, stage.epochs, len(state.stages)) == ("warm-up", 2, 2)
    assert stage.evaluation_mode
    z, y = network.classifier(network.features(state.images).detach()), state.labels
    state.terms_are(ce(z, y) if classes == "seen" else ce(z[:, KNOWN:], y - KNOWN))
    first = network.classifier.weight[KNOWN:].detach().clone()
    state.loop.train(stage, steps=1)
    for name, value in state.old.state_dict().items():
        now = network.state_dict()[name]
        assert torch.equal(now[:KNOWN] if name.startswith("classifier") else now, value), name
    assert not torch.isclose(network.classifier.weight[KNOWN:], first).all(-1).any()


def test_lwf_has_a_warm_up_where_there_is_something_old_and_new() -> None:
    loop = Loop(build("lwf", OPTIONS["lwf"]))
    tasks = tasks_of(stripes(SIZES, EACH))
    assert len(loop.begin(tasks[0])) == 1
    assert len(loop.begin(tasks[1])) == 2
    assert len(loop.begin(replace(tasks[1], index=2, known=KNOWN))) == 1


def test_lwf_mc() -> None:
    state = State("lwf-mc")
    state.terms_are(binary(state.logits, state.old_logits, state.labels))


def test_icarl_binary() -> None:
    state = State("icarl", loss="binary")
    assert counts_of(state.split.labels) == [4] * KNOWN + [EACH] * 4
    state.terms_are(binary(state.logits, state.old_logits, state.labels))


@pytest.mark.parametrize("name", ["icarl", "lwf-mc"])
def test_binary_targets_of_the_first_task(name: str) -> None:
    loop = Loop(build(name, {}))
    (task, *_) = tasks_of(stripes(SIZES, EACH))
    (stage,) = loop.begin(task)
    loop.enter(stage)
    batch = batch_of(task.train, torch.arange(10))
    z = loop.method.network(batch.images)
    (found,) = loop.method.losses(batch).values()
    torch.testing.assert_close(found, binary(z, z[:, :0], batch.labels))


def test_icarl_softmax() -> None:
    state = State("icarl")
    z = state.logits
    state.terms_are(ce(z, state.labels), 0.7 * 3.0**2 * kl(state.old_logits, z[:, :KNOWN], 3.0))


@pytest.mark.parametrize("augment", ["none", "flip"])
@pytest.mark.parametrize("name", ["icarl", "lucir", "podnet"])
def test_the_nearest_mean_of_exemplars(name: str, augment: str) -> None:
    """iCaRL's here has mirror images always, the others' where training images are mirrored."""
    state = State(name, augment=augment)
    state.loop.end(state.task)
    method = copy.deepcopy(state.method).eval()
    images, labels = state.exemplars
    with torch.no_grad():
        views = [images, images.flip(3)] if name == "icarl" or augment == "flip" else [images]
        stored = torch.stack([F.normalize(method.features(v), dim=1) for v in views]).mean(0)
        means = torch.stack([stored[labels == c].mean(0) for c in range(SEEN)])
        asked = F.normalize(method.features(state.images), dim=1)
        expected = -torch.cdist(asked, F.normalize(means, dim=1)).square()
        method.float()
        way = method.predict if name == "icarl" else method.other_predictors()["nme"]
        found = way(state.images).double()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("mirrored", "augment", "wanted"),
    [
        ("trained", "none", False),
        ("trained", "crop2-flip-brightness", True),
        ("never", "flip", False),
        ("always", "none", True),
    ],
)
def test_icarl_mirrors_exemplars_where_asked_for(mirrored: str, augment: str, wanted: bool) -> None:
    memory = Memory("herding", per_class=4)
    method: Any = build("icarl", {"mirrored": mirrored}, memory=memory, augment=augment)
    task = tasks_of(stripes(SIZES, EACH))[0]
    Loop(method).begin(task)
    method.fill_memory(task)
    seen: list[Tensor] = []
    method.features = lambda images: (seen.append(images), images.flatten(1))[1]
    method.exemplar_means(task)
    assert len(seen) == 1 + wanted
    assert not wanted or torch.equal(seen[1], seen[0].flip(3))


def test_eeil_training() -> None:
    state = State("eeil")
    assert counts_of(state.split.labels) == [4] * KNOWN + [EACH] * 4
    z, t = state.logits, state.old_logits
    distance = sum(kl(t[:, a:b], z[:, a:b], 3.0) for a, b in HEADS)
    state.terms_are(ce(z, state.labels), distance)


def test_eeil_balanced_fine_tuning() -> None:
    trained: list[Any] = []

    def note(method: Method, batch: Batch) -> None:
        if method.task.index == 2 and method.stage.name == "balanced" and not trained:
            trained.append(copy.deepcopy(method.network).eval())

    state = State("eeil", 1, before_step=note)
    assert counts_of(state.split.labels) == [4] * SEEN
    assert (state.method.stage.epochs, state.method.stage.rate) == (1, 0.3)
    z, old = state.logits, state.old_logits
    with torch.no_grad():
        new = trained[0](state.images)
    distance = sum(kl(old[:, a:b], z[:, a:b], 3.0) for a, b in HEADS)
    distance = distance + kl(new[:, KNOWN:], z[:, KNOWN:], 3.0)
    state.terms_are(ce(z, state.labels), distance)


def test_eeil_takes_the_images_that_the_trained_network_finds_typical() -> None:
    """The first one that herding takes of a class is the nearest to its mean direction."""
    state = State("eeil", per_class=1)
    state.method.after_stage(state.method.stage)
    network = copy.deepcopy(state.method.network).eval()
    chosen = state.method.begin_stage(state.stages[1]).split
    images = normalised(state.task.train.images)
    with torch.no_grad():
        features = F.normalize(network.features(images), dim=1)
    for column in range(KNOWN, SEEN):
        where = (state.task.train.labels == column).nonzero().flatten()
        mean = features[where].mean(0)
        nearest = where[(features[where] - mean).norm(dim=1).argmin()]
        (found,) = chosen.take((chosen.labels == column).nonzero().flatten())
        assert torch.equal(found, state.task.train.images[nearest])


def correction(method: Method, column: int, images: Tensor) -> tuple[float, float]:
    """What ``predict`` multiplies a logit with, and adds to it."""
    with torch.no_grad():
        z = method.network.eval()(images)[:2, column]
        corrected = method.predict(images)[:2, column].double()
    scale = float((corrected[0] - corrected[1]) / (z[0] - z[1]))
    return scale, float(corrected[0] - scale * z[0])


def test_bic() -> None:
    state = State("bic")
    assert counts_of(state.split.labels) == [2] * KNOWN + [EACH - 2] * 4
    before = copy.deepcopy(state.loop.before[1])
    scale, shift = torch.ones(SEEN).double(), torch.zeros(SEEN).double()
    for column in range(3, KNOWN):
        scale[column], shift[column] = correction(before, column, state.images)
    assert (scale[3:KNOWN] - 1).abs().min() > 1e-3
    z = scale * state.logits + shift
    t = scale[:KNOWN] * state.old_logits + shift[:KNOWN]
    share = KNOWN / SEEN
    state.terms_are((1 - share) * ce(z, state.labels), share * kl(t, z[:, :KNOWN], 3.0), rtol=1e-4)


def test_bic_fits_its_two_numbers_on_what_is_held_out() -> None:
    state = State("bic")
    method = state.method
    old, task = method.memory.split(), state.task.train
    everything = torch.cat([task.images, old.images])
    labels = torch.cat([task.labels, old.labels])
    trained_on = {image.numpy().tobytes() for image in state.split.images}
    held = torch.tensor([image.numpy().tobytes() not in trained_on for image in everything])
    assert counts_of(labels[held]) == [2] * SEEN
    images = normalised(everything[held])
    before = copy.deepcopy(method).eval()
    method.after_stage(method.stage)
    found = copy.deepcopy(method).eval()
    numbers = torch.tensor(correction(found, 7, images)).double().requires_grad_()
    with torch.no_grad():
        z = before.predict(images).double()
        torch.testing.assert_close(found.predict(images)[:, :KNOWN], before.predict(images)[:, :5])
    corrected = torch.cat([z[:, :KNOWN], numbers[0] * z[:, KNOWN:] + numbers[1]], dim=1)
    ridge = 1e-3 / 2 * ((numbers[0] - 1).square() + numbers[1].square())
    (slope,) = torch.autograd.grad(ce(corrected, labels[held]) + ridge, numbers)
    assert slope.abs().max() < 1e-4
    assert float(numbers.detach()[1].abs()) > 1e-2


def test_wa() -> None:
    state = State("wa")
    z, share = state.logits, KNOWN / SEEN
    state.terms_are(
        (1 - share) * ce(z, state.labels), share * kl(state.old_logits, z[:, :KNOWN], 3.0)
    )


@pytest.mark.parametrize("clip", [True, False])
def test_wa_cuts_weights_off_where_asked_for(clip: bool) -> None:
    state = State("wa", clip_weights=clip)
    assert bool((state.method.network.classifier.weight < 0).any()) != clip


@pytest.mark.parametrize("name", ["wa", "memo"])
def test_new_vectors_get_the_old_ones_mean_length(name: str) -> None:
    state = State(name)
    weight = state.method.network.classifier.weight
    with torch.no_grad():
        weight[KNOWN:] *= 1.7
    before, bias = weight.detach().clone(), state.method.network.classifier.bias.detach().clone()
    state.method.after_stage(state.method.stage)
    lengths = before.norm(dim=1)
    gamma = lengths[:KNOWN].mean() / lengths[KNOWN:].mean()
    torch.testing.assert_close(weight[KNOWN:].detach(), gamma * before[KNOWN:])
    assert torch.equal(weight[:KNOWN], before[:KNOWN])
    assert torch.equal(state.method.network.classifier.bias, bias)


def test_ssil() -> None:
    state = State("ssil")
    assert counts_of(state.split.labels) == [0] * KNOWN + [EACH] * 4
    state.drawing_all(0.5)
    images, y = state.with_exemplars()
    z = state.method.network(images)
    with torch.no_grad():
        t = state.old(images)
    is_new = y >= KNOWN
    new, old = ce(z[is_new][:, KNOWN:], y[is_new] - KNOWN), ce(z[~is_new][:, :KNOWN], y[~is_new])
    classification = (int(is_new.sum()) * new + int((~is_new).sum()) * old) / len(y)
    distance = 3.0**2 * sum(kl(t[:, a:b], z[:, a:b], 3.0) for a, b in HEADS)
    state.terms_are(classification, distance)


# Cosine classifiers


def test_lucir() -> None:
    state = State("lucir")
    head, y = state.method.network.classifier, state.labels
    with torch.no_grad():
        head.scale.fill_(2.5)
    f = state.method.network.features(state.images)
    with torch.no_grad():
        old = state.old.features(state.images)
    cos = cosines(head.weight, f)
    kept = 1 - F.cosine_similarity(f, old, dim=1).mean()
    rows = (y < KNOWN).nonzero().flatten()
    hardest = cos[rows, KNOWN:].sort(dim=1, descending=True).values[:, :3]
    wrong = (0.8 - cos[rows, y[rows]].unsqueeze(1) + hardest).clamp(min=0).mean(1).mean()
    state.terms_are(ce(head.scale * cos, y), 3.0 * math.sqrt(5 / 4) * kept, 0.6 * wrong)


@pytest.mark.parametrize("name", ["lucir", "podnet"])
def test_old_vectors_do_not_move_during_training(name: str) -> None:
    state = State(name)
    weight = state.method.network.classifier.weight
    assert torch.equal(weight[:KNOWN], state.old.classifier.weight)
    first = weight[KNOWN:].detach().clone()
    state.loop.train(state.stages[0], steps=1)
    assert torch.equal(weight[:KNOWN], state.old.classifier.weight)
    assert not torch.isclose(weight[KNOWN:], first).all(-1).any()


def began(name: str) -> tuple[Any, Any, Any]:
    """A method at the beginning of its third task, the one before, and the task."""
    loop = Loop(build(name, OPTIONS[name], memory=Memory("herding", per_class=4)))
    tasks = tasks_of(stripes(SIZES, EACH))
    loop.learn(tasks[0])
    loop.learn(tasks[1])
    loop.begin(tasks[2])
    return loop.method, loop.before[1], tasks[2]


def test_lucir_begins_with_the_classes_mean_directions() -> None:
    method, before, task = began("lucir")
    features = F.normalize(before.features(normalised(task.train.images)), dim=1).detach()
    weight = method.network.classifier.weight.detach()[:, 0]
    length = weight[:KNOWN].norm(dim=1).mean()
    for column in range(KNOWN, SEEN):
        mean = features[task.train.labels == column].mean(0)
        expected = length * F.normalize(mean, dim=0)
        torch.testing.assert_close(weight[column], expected, rtol=1e-5, atol=1e-6)


def test_podnet_begins_with_centres_of_the_classes_features() -> None:
    """Each is, in its direction, the mean of the images that are nearest to it."""
    method, before, task = began("podnet")
    features = before.features(normalised(task.train.images)).detach()
    weight = method.network.classifier.weight.detach()
    length = weight[:KNOWN].norm(dim=-1).mean()
    torch.testing.assert_close(weight[KNOWN:].norm(dim=-1), length.expand(4, 3))
    subsets = [[k for k in range(EACH) if number >> k & 1] for number in range(1, 2**EACH)]
    for column in range(KNOWN, SEEN):
        own = features[task.train.labels == column]
        means = F.normalize(torch.stack([own[subset].mean(0) for subset in subsets]), dim=1)
        cosine = means @ F.normalize(weight[column], dim=1).T
        best = cosine.max(dim=0)
        assert best.values.min() > 1 - 1e-6
        places = [place for k in best.indices.tolist() for place in subsets[k]]
        assert sorted(places) == list(range(EACH))


def nca(head: Any, features: Tensor, labels: Tensor, margin: float) -> Tensor:
    """``relu(log sum_(c != y) exp(s cos_c) - s (cos_y - margin))``; the margin's s is a number."""
    scale, cos = head.scale, cosines(head.weight, features)
    own = cos[torch.arange(len(labels)), labels]
    others = (scale * cos).exp().sum(1) - (scale * own).exp()
    return (others.log() - scale * own + scale.detach() * margin).clamp(min=0).mean()


def pooled(maps: Tensor) -> Tensor:
    """The squares summed over the width, and over the height, as one unit vector."""
    parts = [maps.square().sum(3).flatten(1), maps.square().sum(2).flatten(1)]
    return F.normalize(torch.cat(parts, dim=1), dim=1)


def stages_of(network: Any, images: Tensor) -> list[Tensor]:
    stem = network.stem(images.double())
    return [stem, network.last(stem)]


def test_podnet_training() -> None:
    state = State("podnet")
    network, y = state.method.network, state.labels
    with torch.no_grad():
        network.classifier.scale.fill_(2.5)
        old_maps, old = stages_of(state.old, state.images)[1:], state.old.features(state.images)
    f, maps = network.features(state.images), stages_of(network, state.images)[1:]
    assert maps[0].min() < 0  # the last ReLU is left out, and the stem is no stage
    factor = math.sqrt(SEEN / (SEEN - KNOWN))
    spatial = [
        (pooled(now) - pooled(then)).norm(dim=1).mean()
        for now, then in zip(maps, old_maps, strict=True)
    ]
    state.terms_are(
        nca(network.classifier, f, y, 0.35),
        factor * 0.7 * (1 - F.cosine_similarity(f, old, dim=1).mean()),
        factor * 2.0 * torch.stack(spatial).mean(),
    )


def test_podnet_balanced_stage() -> None:
    state = State("podnet", 1)
    method = state.method
    assert counts_of(state.split.labels) == [4] * SEEN
    assert (method.stage.epochs, method.stage.rate) == (1, 0.3)
    assert method.stage.evaluation_mode
    assert method.network.classifier.weight.shape == (SEEN, 3, 16)
    with torch.no_grad():
        f = method.network.features(state.images)
    state.terms_are(nca(method.network.classifier, f, state.labels, 0.35))
    assert not torch.equal(method.network.classifier.weight[:KNOWN], state.old.classifier.weight)
    body = method.network.stem[0].weight.detach().clone()
    state.loop.train(state.stages[1], steps=1)
    assert torch.equal(method.network.stem[0].weight, body)


def test_podnet_keeps_the_scale_at_one_or_more() -> None:
    state = State("podnet")
    with torch.no_grad():
        state.method.network.classifier.scale.fill_(0.2)
    state.method.after_step(state.batch)
    assert state.method.network.classifier.scale.item() == 1.0


# Growing networks


def auxiliary(state: State) -> Tensor:
    """Of the newest part's features: new classes, and one for all old ones together."""
    new = state.method.network.features(state.images)[:, -16:]
    labels = torch.tensor([max(0, label - KNOWN + 1) for label in state.labels.tolist()])
    return ce(state.method.auxiliary(new), labels)


@pytest.mark.parametrize("name", ["der", "memo"])
def test_der_and_memo_training(name: str) -> None:
    state = State(name)
    assert counts_of(state.split.labels) == [4] * KNOWN + [EACH] * 4
    assert state.method.network.classifier.weight.shape == (SEEN, 48)
    assert state.method.auxiliary.out_features == 5
    state.terms_are(ce(state.logits, state.labels), 0.4 * auxiliary(state))


def test_der_classifier_stage() -> None:
    state = State("der", 1)
    method = state.method
    assert counts_of(state.split.labels) == [4] * SEEN
    assert (method.stage.epochs, method.stage.milestones) == (2, (0.5,))  # the task's
    with torch.no_grad():
        f = method.network.features(state.images)
    state.terms_are(ce(method.network.classifier(f) / 3.0, state.labels))


def test_der_draws_its_classifier_anew() -> None:
    def drawn(factor: float) -> Tensor:
        state = State("der")
        classifier = state.method.network.classifier
        with torch.no_grad():
            classifier.weight.mul_(factor)
        state.method.after_stage(state.method.stage)
        return torch.cat([classifier.weight.detach(), classifier.bias.detach()[:, None]], dim=1)

    weight = drawn(1.0)
    assert torch.equal(weight, drawn(100.0))
    bound = 48**-0.5
    assert 0.95 * bound < weight.abs().max() <= bound
    assert abs(float(weight.std()) - bound / math.sqrt(3)) < 0.1 * bound
    assert abs(float(weight.mean())) < 0.1 * bound


@pytest.mark.parametrize("freeze", [True, False])
def test_memo_keeps_its_body_where_asked_for(freeze: bool) -> None:
    state = State("memo", freeze_body=freeze)
    body = state.method.network.body.stem[0].weight
    assert torch.equal(body, state.old.body.stem[0].weight) == freeze


# FOSTER


def class_weights(labels: Tensor, beta: float) -> Tensor:
    """``(1 - beta) / (1 - beta^n)``, n relative to a largest class of 500; their mean is 1."""
    counts = torch.tensor(counts_of(labels)).double()
    weights = (1 - beta) / (1 - beta ** (counts * 500 / counts.max()))
    return weights / weights.mean()


def boosted(state: State) -> tuple[Tensor, Tensor]:
    """Logits of the old and the new backbone together, and of the new one alone."""
    method = state.method
    with torch.no_grad():
        old = state.old.features(state.images)
    new = method.booster.features(state.images)
    return method.boosted_classifier(torch.cat([old, new], 1)), method.booster.classifier(new)


def long_tailed(stage: int, beta: float) -> State:
    """200 times fewer exemplars than new images, so that the effective numbers differ."""
    key = "boosting_beta" if stage == 0 else "compression_beta"
    return State("foster", stage, per_class=1, each=40, **{key: beta})


def test_foster_boosting() -> None:
    state = long_tailed(0, 0.9)
    weights = class_weights(state.split.labels, 0.9)
    assert weights.max() > 1.2 * weights.min()
    z, new = boosted(state)
    state.terms_are(
        ce(z / weights, state.labels),
        ce(new, state.labels),
        kl(state.old_logits, z[:, :KNOWN], 3.0),
    )


def test_foster_compression() -> None:
    state = long_tailed(1, 0.9)
    assert state.method.stage.epochs == 3
    state.method.train()
    state.method.booster.eval()
    with torch.no_grad():
        z, _ = boosted(state)
    weights = class_weights(state.split.labels, 0.9)
    target = weights * F.softmax(z / 3.0, 1)
    target = target / target.sum(1, keepdim=True)
    found = F.softmax(state.logits / 3.0, 1)
    state.method.train()
    state.terms_are((target * (target.log() - found.log())).sum(1).mean())


@pytest.mark.parametrize("stage", [0, 1])
def test_foster_trains_one_network_at_a_time(stage: int) -> None:
    state = State("foster", stage)
    method = state.method
    networks = [method.booster, method.network]
    before = [copy.deepcopy(n.stem[0].weight.detach()) for n in networks]
    state.loop.train(state.stages[stage], steps=1)
    moved = [not torch.equal(n.stem[0].weight, b) for n, b in zip(networks, before, strict=True)]
    assert moved == [stage == 0, stage == 1]


# Anchors


def leading(grown: Tensor, small: Tensor) -> tuple[slice, ...]:
    return tuple(slice(0, size) for size in small.shape)


def gradients(network: nn.Module, value: Tensor) -> dict[str, Tensor]:
    names, parameters = zip(*network.named_parameters(), strict=True)
    found = torch.autograd.grad(value, parameters, retain_graph=True)
    return dict(zip(names, found, strict=True))


def fisher_of(network: Any, image: Tensor, columns: range) -> dict[str, Tensor]:
    """``sum_c p_c (d log p_c / d p_i)^2`` of one image."""
    log_probs = network(image.unsqueeze(0))[0, columns.start : columns.stop].log_softmax(0)
    total: dict[str, Tensor] = {}
    for log_prob in log_probs:
        for name, gradient in gradients(network, log_prob).items():
            total[name] = total.get(name, 0.0) + log_prob.exp().detach() * gradient**2
    return total


def sensitivity_of(network: Any, image: Tensor, columns: range) -> dict[str, Tensor]:
    """``|d |z|^2 / d p_i|`` of one image."""
    length = (network(image.unsqueeze(0))[0] ** 2).sum()
    return {name: value.abs() for name, value in gradients(network, length).items()}


def columns_of(index: int, classes: str) -> range:
    """The outputs that a task's loss looks at."""
    stop = sum(SIZES[: index + 1])
    return range(sum(SIZES[:index]) if classes == "new" else 0, stop)


Importance = Callable[[Any, Tensor, range], dict[str, Tensor]]


def importances(state: State, of_one: Importance, classes: str) -> list[dict[str, Tensor]]:
    """Of each learned task, averaged over its images, at the parameters that it ended with."""
    found = []
    for index in range(2):
        network: Any = state.loop.before[index].network.eval()
        images = normalised(state.splits[index].images)
        columns = columns_of(index, classes)
        parts = [of_one(network, image, columns) for image in images]
        found.append({name: sum(p[name] for p in parts) / len(images) for name in parts[0]})
    return found


def springs(state: State, stiffness: list[dict[str, Tensor]]) -> Tensor:
    """``1/2 sum_tasks sum_i k_i (p_i - p*_i)^2``, each around where its task ended."""
    total = torch.zeros(()).double()
    for index, stiff in enumerate(stiffness):
        anchors = dict(state.loop.before[index].network.named_parameters())
        for name, parameter in state.method.network.named_parameters():
            anchor = anchors[name].detach()
            moved = parameter[leading(parameter, anchor)] - anchor
            total = total + (stiff[name] * moved**2).sum() / 2
    return total


def consolidation_is(state: State, expected: Tensor, classes: str) -> None:
    """The classification, and the gradient of the other term: it may differ by a constant."""
    terms = list(state.method.losses(state.batch).values())
    z, y = state.logits, state.labels
    classification = ce(z, y) if classes == "seen" else ce(z[:, KNOWN:], y - KNOWN)
    torch.testing.assert_close(terms[0], classification)
    parameters = list(state.method.network.parameters())
    found, wanted = flat(parameters, terms[1]), flat(parameters, expected)
    assert wanted.abs().max() > 1e-4
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-7)


def scaled(importance: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
    assert all(float((factor * value).max()) < 10 for value in importance.values())
    return {name: factor * value for name, value in importance.items()}


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_ewc_has_the_anchors_of_all_tasks(classes: str) -> None:
    state = State("ewc", classes=classes)
    found = importances(state, fisher_of, classes)
    consolidation_is(state, springs(state, [scaled(f, 3.0) for f in found]), classes)


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_ewc_online_has_one_anchor_and_fading_information(classes: str) -> None:
    state = State("ewc-online", classes=classes)
    first, second = importances(state, fisher_of, classes)
    faded = {name: second[name].clone() for name in second}
    for name, value in first.items():
        faded[name][leading(faded[name], value)] += 0.6 * value
    nothing = {name: torch.zeros_like(value) for name, value in first.items()}
    stiff = [nothing, scaled(faded, 3.0 * 0.6)]
    consolidation_is(state, springs(state, stiff), classes)
    terms = list(state.method.losses(state.batch).values())
    torch.testing.assert_close(terms[1], springs(state, stiff))


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_mas(classes: str) -> None:
    state = State("mas", classes=classes)
    first, second = importances(state, sensitivity_of, classes)
    grown = {name: second[name].clone() for name in second}
    for name, value in first.items():
        grown[name][leading(grown[name], value)] += value
    stiff = {name: (2 * 0.3 * value).clamp(max=10) for name, value in grown.items()}
    nothing = {name: torch.zeros_like(value) for name, value in first.items()}
    expected = springs(state, [nothing, stiff])
    consolidation_is(state, expected, classes)
    torch.testing.assert_close(list(state.method.losses(state.batch).values())[1], expected)


@pytest.mark.parametrize(("name", "of_one"), [("ewc", fisher_of), ("mas", sensitivity_of)])
def test_one_sample_is_one_sample(name: str, of_one: Importance) -> None:
    """With ``samples=1`` the importance is that of a single image of the task."""
    method: Any = build(name, {**OPTIONS[name], "samples": 1, "weight": 0.05})
    loop = Loop(method)
    tasks = tasks_of(stripes(SIZES, EACH))
    loop.learn(tasks[0])
    before: Any = loop.before[0].network
    factor = 0.05 if name == "ewc" else 0.1
    loop.begin(tasks[1])
    loop.enter(method.stages(tasks[1])[0])
    with torch.no_grad():
        method.network.stem[0].weight += 1.0
    term = list(method.losses(batch_of(tasks[1].train, torch.arange(4))).values())[1]
    (found,) = torch.autograd.grad(term, method.network.stem[0].weight)
    images = normalised(tasks[0].train.images)
    each = [factor * of_one(before, image, range(3))["stem.0.weight"] for image in images]
    gaps = [float((found - one).abs().max() / one.abs().max()) for one in each]
    assert sum(gap < 1e-4 for gap in gaps) == 1


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_si(classes: str) -> None:
    """The path integral of the classification's gradient, task by task."""
    paths: list[dict[str, Tensor]] = []
    starts: list[dict[str, Tensor]] = []
    slopes: dict[str, Tensor] = {}
    values: dict[str, Tensor] = {}

    def current(method: Method) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in method.network.named_parameters()}

    def before_step(method: Method, batch: Batch) -> None:
        first = columns_of(method.task.index, classes).start
        loss = ce(method.network(batch.images)[:, first:], batch.labels - first)
        slopes.update(gradients(method.network, loss))
        values.update(current(method))
        if len(paths) == method.task.index:
            starts.append(current(method))
            paths.append({name: torch.zeros_like(p) for name, p in values.items()})

    def after_step(method: Method, batch: Batch) -> None:
        for name, parameter in current(method).items():
            paths[-1][name] -= slopes[name] * (parameter - values[name])

    state = State("si", before_step=before_step, after_step=after_step, classes=classes)
    omegas = []
    for index in range(2):
        ends = dict(state.loop.before[index].network.named_parameters())
        omegas.append(
            {
                name: path.clamp(min=0) / ((ends[name].detach() - starts[index][name]) ** 2 + 0.5)
                for name, path in paths[index].items()
            }
        )
    total = omegas[1]
    for name, value in omegas[0].items():
        total[name][leading(total[name], value)] += value
    nothing = {name: torch.zeros_like(value) for name, value in omegas[0].items()}
    stiff = [nothing, scaled(total, 2 * 0.3)]
    consolidation_is(state, springs(state, stiff), classes)
    torch.testing.assert_close(
        list(state.method.losses(state.batch).values())[1], springs(state, stiff), rtol=1e-5, atol=0
    )


# Projected gradients


def references(state: State, classes: str) -> Tensor:
    """The gradient of each earlier task's loss on its exemplars, one row for each."""
    parameters = list(state.method.network.parameters())
    images, labels = state.exemplars
    rows = []
    for first, stop in HEADS:
        mine = (labels >= first) & (labels < stop)
        z, y = state.method.network(images[mine]), labels[mine]
        loss = ce(z, y) if classes == "seen" else ce(z[:, first:stop], y - first)
        rows.append(flat(parameters, loss))
    return torch.stack(rows)


def set_gradients(state: State, vector: Tensor) -> None:
    start = 0
    for parameter in state.method.network.parameters():
        size = parameter.numel()
        parameter.grad = vector[start : start + size].view_as(parameter).clone()
        start += size


def gradient_of(state: State) -> Tensor:
    return torch.cat([p.grad.flatten() for p in state.method.network.parameters()])


def nearest(gradient: Tensor, rows: Tensor, strength: float) -> Tensor:
    """``g + R^T v`` with ``v`` the best of all pairs that are at least ``strength``."""
    gram, pull = rows @ rows.T, rows @ gradient
    candidates = [torch.linalg.solve(gram, -pull), torch.full((2,), strength).double()]
    for fixed in range(2):
        free, v = 1 - fixed, torch.full((2,), strength).double()
        v[free] = -(pull[free] + gram[free, fixed] * strength) / gram[free, free]
        candidates.append(v)
    possible = [gradient + v @ rows for v in candidates if (v >= strength - 1e-12).all()]
    return min(possible, key=lambda vector: float(vector.norm()))


@pytest.mark.parametrize("classes", ["new", "seen"])
def test_gem(classes: str) -> None:
    state = State("gem", classes=classes)
    assert counts_of(state.split.labels) == [0] * KNOWN + [EACH] * 4
    z, y = state.logits, state.labels
    state.terms_are(ce(z, y) if classes == "seen" else ce(z[:, KNOWN:], y - KNOWN))
    rows = references(state, classes)
    noise = torch.randn(rows.shape[1], generator=torch.Generator().manual_seed(1)).double()
    noise *= 0.1 * rows.norm() / noise.norm()
    for mix in ((-1.0, -1.0), (-2.0, 0.1), (0.1, -2.0), (-3.0, 1.0), (1.0, -3.0)):
        gradient = torch.tensor(mix).double() @ rows + noise
        assert (rows @ gradient).min() < 0
        set_gradients(state, gradient)
        state.method.after_backward(state.batch)
        expected = nearest(gradient, rows, 0.3)
        torch.testing.assert_close(gradient_of(state), expected, rtol=1e-5, atol=1e-7)
    gradient = torch.linalg.pinv(rows) @ torch.ones(2).double() + 0.0
    set_gradients(state, gradient)
    state.method.after_backward(state.batch)
    assert torch.equal(gradient_of(state), gradient)


def test_agem() -> None:
    state = State("agem")
    state.terms_are(ce(state.logits, state.labels))
    state.drawing_all(2.0)
    images, labels = state.exemplars
    r = flat(list(state.method.network.parameters()), ce(state.method.network(images), labels))
    noise = torch.randn(len(r), generator=torch.Generator().manual_seed(1)).double()
    for sign in (-1.0, 1.0):
        gradient = sign * r + noise - (noise @ r) / (r @ r) * r
        set_gradients(state, gradient)
        state.method.after_backward(state.batch)
        expected = gradient - (gradient @ r) / (r @ r) * r if sign < 0 else gradient
        torch.testing.assert_close(gradient_of(state), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("outputs", [0, 11])
def test_der_plus_plus(outputs: int) -> None:
    """With a memory that keeps whatever it is shown."""
    shown: list[tuple[Tensor, Tensor, Tensor]] = []

    def note(method: Method, batch: Batch) -> None:
        with torch.no_grad():
            z = method.network(batch.images)
        shown.extend(zip(batch.images, batch.labels, z, strict=True))

    state = State("der++", per_class=100, before_step=note, outputs=outputs)
    assert len(state.method.memory) == len(shown) == 2 * KNOWN * EACH + 4 * EACH
    state.drawing_all()
    images = torch.stack([image for image, _, _ in shown])
    labels = torch.stack([label for _, label, _ in shown])
    z = state.method.network(images)
    rows = [
        (z[k, : len(t)] - t).square().sum() / (outputs or len(t))
        for k, (_, _, t) in enumerate(shown)
    ]
    terms = (0.35 * torch.stack(rows).mean(), 0.8 * ce(z, labels))
    state.terms_are(ce(state.logits, state.labels), *terms)


# Frozen backbones


def frozen(name: str, **changes: Any) -> tuple[Any, list[Tensor], list[Tensor], Tensor]:
    """A method after three tasks, features and labels of all tasks, features of other images."""
    method: Any = build(name, {**OPTIONS[name], "tune": "all", **changes})
    loop = Loop(method)
    splits = stripes(SIZES, EACH)
    for task in tasks_of(splits):
        loop.learn(task)
    network = copy.deepcopy(method.network).eval()
    with torch.no_grad():
        features = [network.features(normalised(split.images)) for split in splits]
        asked = network.features(asked_images())
    return method, features, [split.labels for split in splits], asked


def asked_images() -> Tensor:
    return normalised(torch.cat([split.images for split in stripes(SIZES, 2, seed=9)]))


@pytest.mark.parametrize("name", ["ranpac", "simplecil", "slda"])
@pytest.mark.parametrize("train_first", [True, False])
def test_frozen_backbones_train_on_the_first_task_at_most(name: str, train_first: bool) -> None:
    method: Any = build(name, {**OPTIONS[name], "tune": "all", "train_first": train_first})
    loop = Loop(method)
    splits = stripes(SIZES, EACH)
    tasks = tasks_of(splits)
    stages = loop.begin(tasks[0])
    assert len(stages) == train_first
    assert method.network.stem[0].weight.requires_grad == train_first
    for stage in stages:
        loop.train(stage, steps=2)
        z, y = method.network(normalised(splits[0].images)), splits[0].labels
        (found,) = method.losses(batch_of(splits[0], torch.arange(len(y)))).values()
        torch.testing.assert_close(found, ce(z, y))
    loop.end(tasks[0])
    assert len(loop.begin(tasks[1])) == 0
    assert not any(p.requires_grad for p in method.network.parameters())


@pytest.mark.parametrize("train_first", [True, False])
def test_simplecil(train_first: bool) -> None:
    method, features, labels, asked = frozen("simplecil", train_first=train_first)
    f, y = torch.cat(features), torch.cat(labels)
    means = torch.stack([f[y == c].mean(0) for c in range(SEEN)])
    expected = F.cosine_similarity(asked[:, None], means[None], dim=2)
    torch.testing.assert_close(scores(method, asked_images()), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("train_first", [True, False])
def test_slda(train_first: bool) -> None:
    """Sample by sample, as in the paper."""
    method, features, labels, asked = frozen("slda", train_first=train_first)
    means, counts = torch.zeros(SEEN, 16).double(), [0] * SEEN
    scatter, t = torch.zeros(16, 16).double(), 0
    for f, y in zip(torch.cat(features), torch.cat(labels).tolist(), strict=True):
        off = f - means[y] if counts[y] else torch.zeros_like(f)
        scatter = (t * scatter + t * torch.outer(off, off) / (t + 1)) / (t + 1)
        means[y] = (counts[y] * means[y] + f) / (counts[y] + 1)
        counts[y], t = counts[y] + 1, t + 1
    precision = torch.linalg.inv(0.8 * scatter + 0.2 * torch.eye(16).double())
    weight = means @ precision
    expected = asked @ weight.T - (means * weight).sum(1) / 2
    torch.testing.assert_close(scores(method, asked_images()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("train_first", [True, False])
def test_ranpac(train_first: bool) -> None:
    method, features, labels, asked = frozen("ranpac", train_first=train_first)
    projection = method.kept["projection"].double()
    assert projection.shape == (16, 40)
    assert 0.9 < float(projection.std()) < 1.1
    hidden = [(f @ projection).clamp(min=0) for f in features]
    targets = [F.one_hot(y, SEEN).double() for y in labels]

    def solve(gram: Tensor, moments: Tensor, penalty: float) -> Tensor:
        return torch.linalg.inv(gram + penalty * torch.eye(40).double()) @ moments

    h, q = hidden[-1], targets[-1]
    order = torch.randperm(len(h), generator=generator_for(5, "ridge"))
    fit, rest = order[: int(0.8 * len(h))], order[int(0.8 * len(h)) :]
    errors = {
        penalty: float(
            (h[rest] @ solve(h[fit].T @ h[fit], h[fit].T @ q[fit], penalty) - q[rest])
            .square()
            .mean()
        )
        for penalty in [10.0**power for power in range(-8, 9)]
    }
    best = min(errors, key=lambda penalty: errors[penalty])
    every, wanted = torch.cat(hidden), torch.cat(targets)
    weight = solve(every.T @ every, every.T @ wanted, best)
    expected = (asked @ projection).clamp(min=0) @ weight
    torch.testing.assert_close(scores(method, asked_images()), expected, rtol=1e-3, atol=1e-4)
