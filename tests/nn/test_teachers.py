import pytest
import torch
from torch import nn

from didact._core.errors import ModelError, RangeError, ShapeError, UsageError
from didact.nn import Teacher, Teachers, build_model, check_same_classes

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def cnn(num_classes: int = 5, channels: int = 3) -> nn.Module:
    return build_model("cnn-4", image_shape=(channels, 8, 8), num_classes=num_classes)


def test_it_gives_every_teachers_logits_in_order():
    models = [cnn(), Teacher(cnn())]
    teachers = Teachers(models)
    teachers_logits = teachers.train()(IMAGES)
    assert isinstance(teachers_logits, list)
    for model, logits in zip(models, teachers_logits, strict=True):
        assert torch.equal(logits, model.eval()(IMAGES))
        assert not logits.requires_grad
    assert list(teachers.parameters()) == []
    assert len(teachers) == 2
    assert teachers[1] is models[1]
    assert [type(teacher) for teacher in teachers] == [Teacher, Teacher]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(None, (0.5, 0.5)), ([1, 3], (0.25, 0.75)), ((0.2, 0.2), (0.5, 0.5))],
)
def test_weights_are_normalised(weights, expected):
    assert Teachers([cnn(), cnn()], weights).weights == pytest.approx(expected)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_positive_number_is_refused(bad):
    with pytest.raises(RangeError, match="expected a finite number above 0"):
        Teachers([cnn(), cnn()], [1.0, bad])


def test_other_misuse_is_refused():
    with pytest.raises(UsageError, match="3 weights for 2 teachers"):
        Teachers([cnn(), cnn()], [1, 1, 1])
    with pytest.raises(ModelError, match="at least one"):
        Teachers([])
    with pytest.raises(ShapeError, match=r"\(2, 5\), \(2, 6\)"):
        Teachers([cnn(5), cnn(6)])(IMAGES)


def test_classes_and_images_must_fit():
    assert check_same_classes(cnn(), cnn(), image_shape=(3, 8, 8)) == 5
    assert check_same_classes(cnn(), Teachers([cnn(), cnn()]), image_shape=(3, 8, 8)) == 5
    with pytest.raises(ModelError, match="the teacher knows 6 classes and the student 5"):
        check_same_classes(cnn(), Teacher(cnn(6)), image_shape=(3, 8, 8))
    with pytest.raises(ModelError, match="teacher 2 of 2 knows 4 classes"):
        check_same_classes(cnn(), Teachers([cnn(), cnn(4)]), image_shape=(3, 8, 8))
    with pytest.raises(ModelError, match=r"the teacher .* does not take images of shape"):
        check_same_classes(cnn(), cnn(5, channels=1), image_shape=(3, 8, 8))
    with pytest.raises(ModelError, match="the teacher gives a tuple"):
        check_same_classes(cnn(), _Pair(), image_shape=(3, 8, 8))


class _Pair(nn.Module):
    def forward(self, images):
        return images, images
