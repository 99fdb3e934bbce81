"""Everything here goes through ``torch.compile`` whole, without a graph break."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.nn import Teacher, Teachers, build_model, taps

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def whole(function):
    return torch.compile(function, backend="eager", fullgraph=True)


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return build_model("cnn-4", image_shape=(3, 8, 8), num_classes=5)


@pytest.mark.parametrize("name", ["mlp", "resnet8", "wrn-10-1", "vgg8", "shufflenetv2"])
def test_models(name):
    model = build_model(name, image_shape=(3, 8, 8), num_classes=5).eval()
    torch.testing.assert_close(whole(model)(IMAGES), model(IMAGES))


def test_a_teacher_stays_frozen():
    teacher = Teacher(cnn())
    expected = teacher(IMAGES)
    compiled = whole(teacher)
    torch.testing.assert_close(compiled(IMAGES), expected)
    teacher.model.train()
    before = teacher.model.layer1[1].running_mean.clone()
    torch.testing.assert_close(compiled(IMAGES), expected)
    assert torch.equal(teacher.model.layer1[1].running_mean, before)
    assert not compiled(IMAGES).requires_grad


def test_a_step_with_several_teachers_and_taps():
    student, teachers = cnn(), Teachers([cnn(), cnn()])
    paths = ["layer2", "embedding"]
    with taps(student, paths) as own, taps(teachers[0], paths) as wanted:

        def loss(images: torch.Tensor) -> torch.Tensor:
            teachers_logits = teachers(images)
            total = F.mse_loss(student(images), sum(teachers_logits) / len(teachers_logits))
            for path in paths:
                total = total + F.mse_loss(own[path], wanted[path])
            return total

        student.eval()
        expected = loss(IMAGES)
        compiled = whole(loss)
        for images in (IMAGES, IMAGES + 1, IMAGES):
            value = compiled(images)
        torch.testing.assert_close(value, expected)
        value.backward()
    assert student.layer1[0].weight.grad is not None


def test_taps_set_before_the_first_call_of_a_compiled_model():
    model = cnn().eval()
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    with taps(compiled, ["layer1", "layer3"]) as features:
        for images in (IMAGES, IMAGES + 1):
            compiled(images)
            torch.testing.assert_close(features["layer1"], model.layer1(images))
        features["layer3"].sum().backward()
    assert model.layer1[0].weight.grad is not None
