"""The tap's contract: the right feature, no trace left behind."""

import copy
import gc
import io
import weakref

import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import nn

from didact._core.errors import ModelError, UnknownNameError, UsageError
from didact.nn import Teacher, build_model, tap, taps, unwrap

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Odd(nn.Module):
    """Calls one module twice, gives a tuple, changes a feature in place, can skip a module."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.relu = nn.ReLU(inplace=True)
        self.pair = _Pair()
        self.optional = nn.Identity()

    def forward(self, x: torch.Tensor, skip: bool = False) -> torch.Tensor:
        x = self.shared(self.shared(x))
        x = self.relu(self.norm(x))
        x, _ = self.pair(x, scale=torch.full((), 3.0))
        return x if skip else self.optional(x)


class _Pair(nn.Module):
    def forward(self, x: torch.Tensor, *, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * scale, x + 1


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return build_model("cnn-4", image_shape=(3, 8, 8), num_classes=5)


def hooks_on(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_it_gives_what_the_module_gave():
    model = cnn().eval()
    with (
        taps(model, ["layer1", "embedding"]) as features,
        tap(model, "classifier", side="input") as penultimate,
    ):
        logits = model(IMAGES)
        assert torch.equal(features["layer1"], model.layer1(IMAGES))
        assert torch.equal(model.classifier(features["embedding"]), logits)
        assert penultimate.value is features["embedding"]
        assert list(features) == ["layer1", "embedding"]
        with pytest.raises(KeyError, match="did you mean 'layer1'"):
            features["layer"]


def test_the_students_feature_carries_its_graph_and_the_teachers_does_not():
    student, teacher = cnn(), Teacher(cnn())
    with tap(student, "layer2") as own, tap(teacher, "layer2") as wanted:
        student(IMAGES)
        teacher(IMAGES)
        assert own.value.requires_grad
        assert not wanted.value.requires_grad
        F.mse_loss(own.value, wanted.value).backward()
    assert student.layer1[0].weight.grad is not None
    assert student.layer3[0].weight.grad is None
    assert all(parameter.grad is None for parameter in teacher.model.parameters())


def test_it_leaves_nothing_behind():
    model = cnn()
    features = taps(model, ["layer1", "layer2"])
    with pytest.raises(RuntimeError, match="channels"), features:
        model(IMAGES[:, :2])
    assert hooks_on(model) == 0
    with pytest.raises(ModelError, match="nothing passed"):
        features["layer1"]
    features.remove()


def test_it_holds_one_forward_at_most():
    model = cnn()
    with tap(model, "layer1") as feature:
        model(IMAGES)
        first = weakref.ref(feature.value)
        model(IMAGES)
        gc.collect()
        assert first() is None
        second = weakref.ref(feature.value)
        feature.clear()
        gc.collect()
        assert second() is None
        with pytest.raises(ModelError, match="nothing passed through 'layer1'"):
            _ = feature.value


def test_a_stale_feature_is_not_given():
    model, x = Odd(), torch.ones(2, 4)
    with tap(model, "optional") as feature:
        model(x)
        assert feature.value.shape == (2, 4)
        model(x, skip=True)
        with pytest.raises(ModelError, match="nothing passed through 'optional'"):
            _ = feature.value


def test_a_module_called_twice_gives_both():
    model, x = Odd(), torch.ones(2, 4)
    with tap(model, "shared") as feature:
        for _ in range(2):
            model(x)
            assert len(feature.values) == 2
            assert torch.equal(feature.values[0], model.shared(x))
            model(x)
            assert torch.equal(feature.value, model.shared(model.shared(x)))


def test_a_tuple_needs_an_index():
    model, x = Odd(), torch.ones(2, 4)
    with tap(model, "pair") as whole, tap(model, "pair", index=1) as second:
        model(x)
        assert second.value.shape == (2, 4)
        with pytest.raises(ModelError, match=r"is a tuple; .*index=0"):
            _ = whole.value
    with tap(model, "pair", side="input", index=1) as scale:
        model(x)
        assert scale.value.item() == 3.0


def test_a_feature_that_was_overwritten_in_place_is_refused():
    model = Odd()
    with tap(model, "norm") as before, tap(model, "relu") as after:
        model(torch.ones(2, 4))
        assert (after.value >= 0).all()
        with pytest.raises(ModelError, match="overwritten in place"):
            _ = before.value


def test_no_model_of_the_zoo_overwrites_its_features():
    for name in ("resnet8", "wrn-10-1", "mobilenetv2", "shufflenetv1", "shufflenetv2"):
        model = build_model(name, image_shape=(3, 8, 8), num_classes=5)
        leaves = [path for path, module in model.named_modules() if not list(module.children())]
        with torch.no_grad(), taps(model, leaves) as features:
            model(IMAGES)
            for path in leaves:
                assert features[path].isfinite().all(), path  # overwritten ones are refused


def test_a_wrong_path_is_answered_with_near_ones_and_leaves_no_hook():
    model = cnn()
    with pytest.raises(UnknownNameError, match="'layer2'"):
        taps(model, ["layer1", "layr2"])
    with pytest.raises(UnknownNameError, match="its parts are layer1, layer2"):
        tap(model, "zzzzzz")
    with pytest.raises(UsageError, match="'output' or 'input'"):
        tap(model, "layer1", side="gradient")
    assert hooks_on(model) == 0


def test_a_copy_of_a_tapped_model_records_nothing():
    model = cnn()
    with tap(model, "layer1") as feature:
        model(IMAGES)
        expected = feature.value
        for twin in (copy.deepcopy(model), Teacher(model)):
            twin(IMAGES + 1)
            assert feature.value is expected
        torch.save(model.state_dict(), io.BytesIO())
        copied = copy.deepcopy(model)
        copied(IMAGES)
        records = [h.__self__ for h in copied.layer1._forward_hooks.values()]
        assert [record.calls for record in records] == [[]]


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        lambda model: torch.compile(model, backend="eager"),
        lambda model: Fabric(accelerator="cpu", devices=1).setup_module(model),
        lambda model: Fabric(accelerator="cpu", devices=1).setup_module(Teacher(model)),
        lambda model: Teacher(model, copy=False),
    ],
)
def test_wrappers_are_seen_through(wrap):
    wrapped = wrap(cnn())
    assert type(unwrap(wrapped)) in {Teacher, type(cnn())}
    with tap(wrapped, "layer1") as feature:
        wrapped(IMAGES)
        assert feature.value.shape == (4, 4, 8, 8)


def test_a_restless_teacher_is_tapped_too():
    class Restless(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return self.layer(x) * self.calls

    teacher = Teacher(Restless())
    with tap(teacher, "layer") as feature:
        assert torch.equal(teacher(torch.ones(1, 3)), feature.value)
