import pytest
import torch
from torch import nn

from didact._core.errors import ModelError, ShapeError, UnknownNameError, UsageError
from didact.nn import (
    Projector,
    Teacher,
    build_model,
    feature_shapes,
    output_shape,
    projectors,
    undisturbed,
)


class Restless(nn.Module):
    """Has everything that a careless dry run disturbs."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
        self.frozen = nn.BatchNorm2d(4).eval()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        features = self.frozen(self.body(x)) + torch.rand(())
        self.mean = features.mean((0, 2, 3))
        return features.mean((2, 3))


def test_a_dry_run_disturbs_nothing():
    model = Restless().train()
    model.frozen.eval()
    flags = [module.training for module in model.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    torch.manual_seed(3)
    state = torch.get_rng_state()
    assert feature_shapes(model, ["body", "frozen"], (3, 8, 8)) == {
        "body": (1, 4, 6, 6),
        "frozen": (1, 4, 6, 6),
    }
    assert [module.training for module in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), state)
    for (before, value), after in zip(buffers, model.buffers(), strict=True):
        assert after is before
        assert torch.equal(after, value)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def run_and_interrupt(model: nn.Module) -> None:
    with undisturbed(model):
        model(torch.zeros(1, 3, 8, 8))
        raise KeyboardInterrupt


def test_a_dry_run_that_fails_disturbs_nothing_either():
    model = Restless().train()
    calls = model.calls
    with pytest.raises(ModelError, match=r"does not take images of shape \(1, 8, 8\)"):
        output_shape(model, (1, 8, 8))
    with pytest.raises(KeyboardInterrupt):
        run_and_interrupt(model)
    assert all(module.training for module in model.modules())
    assert model.calls is calls
    assert calls.item() == 0


def test_a_graph_under_way_survives_a_dry_run():
    model = Restless()
    loss = model(torch.randn(2, 3, 8, 8)).sum()
    output_shape(model, (3, 8, 8))
    loss.backward()


def test_a_blank_image_has_the_models_dtype():
    assert output_shape(Restless().double(), (3, 8, 8)) == (1, 4)
    assert output_shape(Teacher(Restless().double()), (3, 8, 8)) == (1, 4)
    assert output_shape(Restless(), torch.zeros(5, 3, 8, 8)) == (5, 4)


@pytest.mark.parametrize(
    ("student", "teacher", "kind", "parameters"),
    [
        ((1, 4, 8, 8), (1, 6, 8, 8), None, 4 * 6 + 6),
        ((1, 4, 8, 8), (1, 6, 4, 4), "conv", 4 * 6 + 6),
        ((1, 4, 4, 4), (1, 6, 7, 7), "mlp", 4 * 6 + 6 + 6 * 6 + 6),
        ((1, 4), (1, 6), None, 4 * 6 + 6),
        ((1, 5, 4), (1, 5, 6), "linear", 4 * 6 + 6),
        ((1, 4), (1, 6), "mlp", 4 * 6 + 6 + 6 * 6 + 6),
    ],
)
def test_a_projector_gives_the_teachers_shape(student, teacher, kind, parameters):
    project = Projector(student, teacher, kind=kind)
    features = torch.randn(3, *student[1:], requires_grad=True)
    projected = project(features)
    assert projected.shape == (3, *teacher[1:])
    assert sum(p.numel() for p in project.parameters()) == parameters
    projected.sum().backward()
    assert features.grad is not None


def test_a_projector_that_cannot_be_is_refused():
    with pytest.raises(ShapeError, match="two feature maps or two vectors"):
        Projector((1, 4, 8, 8), (1, 6))
    with pytest.raises(UsageError, match="expected another kind"):
        Projector((1, 4, 8, 8), (1, 6, 8, 8), kind="linear")
    with pytest.raises(UsageError, match="expected another kind"):
        Projector((1, 4), (1, 6), kind="conv")
    with pytest.raises(UsageError, match="'linear', 'conv' or 'mlp'"):
        Projector((1, 4), (1, 6), kind="cubic")


def test_projectors_are_sized_by_the_models():
    student = build_model("cnn-4", image_shape=(3, 16, 16), num_classes=5)
    teacher = Teacher(build_model("resnet8", image_shape=(3, 16, 16), num_classes=5))
    pairs = [("layer2", "layer3"), ("embedding", "embedding")]
    first, second = projectors(student, teacher, pairs, (3, 16, 16))
    assert first(torch.zeros(2, 8, 8, 8)).shape == (2, 64, 4, 4)
    assert second(torch.zeros(2, 16)).shape == (2, 64)
    with pytest.raises(ModelError, match="no pair"):
        projectors(student, teacher, [], (3, 16, 16))
    with pytest.raises(UnknownNameError, match="'layer3'"):
        projectors(student, teacher, [("layer2", "layer33")], (3, 16, 16))


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_a_projector_may_give_negative_numbers(kind: str) -> None:
    torch.manual_seed(0)
    projected = Projector((1, 6), (1, 8), kind=kind)(torch.randn(16, 6))
    assert projected.min() < 0 < projected.max()


def test_a_projector_keeps_height_and_width_apart() -> None:
    assert Projector((1, 3, 4, 4), (1, 5, 2, 3))(torch.zeros(2, 3, 4, 4)).shape == (2, 5, 2, 3)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ((2, 4, 8, 8), (2, 8, 8)), ((2, 4), (2, 8, 4, 4)), ((2,), (2,)),
        ((2, 10, 4), (2, 12, 8)), ((2, 4, 4, 4, 4), (2, 8, 4, 4, 4)),
        ((2, 0, 8, 8), (2, 8, 8, 8)), ((2, 4), (2, 0)),
    ],
)  # fmt: skip
def test_shapes_that_it_cannot_bridge_are_refused(student, teacher):
    with pytest.raises(
        ShapeError, match=r"the student's feature is .* and the teacher's .*expected"
    ):
        Projector(student, teacher)
