import pytest
import torch
from torch import nn

from didact._core.errors import ModelError
from didact.nn import Teacher, build_model, fold_batch_norm, tap

IMAGES = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def trained(name: str) -> nn.Module:
    """A model whose norms are far from the identity."""
    torch.manual_seed(0)
    model = build_model(name, image_shape=(3, 16, 16), num_classes=5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    for _ in range(5):
        model(torch.randn(8, 3, 16, 16))
    return model.eval()


@pytest.mark.parametrize(
    ("name", "left"),
    # in a pre-activation network only a norm right after a convolution can go: bn2 of each block
    [("cnn-4", 0), ("resnet8", 0), ("wrn-10-1", 4), ("mobilenetv2", 0), ("shufflenetv1", 0)],
)
def test_the_function_stays_and_the_norms_go(name, left):
    model = trained(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    folded = fold_batch_norm(model, (3, 16, 16))
    assert norms(model) > norms(folded) == left
    torch.testing.assert_close(folded(IMAGES), model(IMAGES), rtol=1e-3, atol=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in folded.modules())


def test_a_teacher_of_it_can_be_tapped_at_the_same_paths():
    model = trained("resnet8")
    teacher = Teacher(fold_batch_norm(Teacher(model), IMAGES), copy=False)
    with tap(teacher, "layer3.0.bn2") as got, tap(model, "layer3.0.bn2") as expected:
        teacher(IMAGES)
        model(IMAGES)
        torch.testing.assert_close(got.value, expected.value, rtol=1e-3, atol=1e-4)


class Shared(nn.Module):
    """Neither pair may be folded: one convolution runs twice, one is used by two modules."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.both = nn.Conv2d(3, 3, 1)
        self.left = nn.BatchNorm2d(3)
        self.right = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.both(self.norm(self.twice(self.twice(x))))
        return (self.left(x) + self.right(x)).mean((2, 3))


class Hidden(Shared):
    """Uses a convolution's output where no module shows it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.both(x)
        return (self.left(x) + x).mean((2, 3))


def shifted(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 2.0)
            nn.init.constant_(module.bias, 1.0)
    return model.eval()


def test_what_cannot_be_folded_is_left_or_refused():
    model = shifted(Shared())
    folded = fold_batch_norm(model, (3, 16, 16))
    assert norms(folded) == 2
    assert torch.equal(folded(IMAGES), model(IMAGES))
    with pytest.raises(ModelError, match="use it unfolded"):
        fold_batch_norm(shifted(Hidden()), (3, 16, 16))
