import pytest
import torch

from didact.nn import Teacher, build_model, feature_shapes

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_a_dry_run_runs_where_the_model_is_and_leaves_its_random_state():
    model = build_model("resnet8", image_shape=(3, 8, 8), num_classes=5).cuda()
    state = torch.cuda.get_rng_state()
    assert feature_shapes(model, ["layer3"], (3, 8, 8)) == {"layer3": (1, 64, 2, 2)}
    assert torch.equal(torch.cuda.get_rng_state(), state)


def test_a_teacher_moves_and_gives_the_same():
    teacher = Teacher(build_model("resnet8", image_shape=(3, 8, 8), num_classes=5))
    images = torch.randn(4, 3, 8, 8)
    expected = teacher(images)
    logits = teacher.to("cuda")(images.cuda())
    assert logits.device.type == "cuda"
    torch.testing.assert_close(logits.cpu(), expected, rtol=1e-2, atol=1e-2)
