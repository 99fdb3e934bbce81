"""The teacher's contract: frozen, and stays frozen."""

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact._core.errors import ModelError
from didact.nn import Teacher, build_model, count_parameters

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Counting(nn.Module):
    """Changes its buffers in eval mode too: one in place, one by assignment."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.layer(x) + self.calls + self.mean.sum()


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return build_model("cnn-4", image_shape=(3, 8, 8), num_classes=5)


def state_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def assert_same_state(module: nn.Module, before: dict[str, torch.Tensor]) -> None:
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def train_everywhere(teacher: Teacher) -> None:
    parent = nn.ModuleDict({"teacher": teacher, "student": nn.Linear(1, 1)})
    parent.train()
    assert parent["student"].training


@pytest.mark.parametrize(
    "wake",
    [
        lambda teacher: teacher.train(),
        lambda teacher: teacher.train(True).eval().train(),
        train_everywhere,
        lambda teacher: teacher.model.train(),
        lambda teacher: teacher.model.layer1.train(),
        lambda teacher: teacher.apply(lambda module: module.train()),
        lambda teacher: setattr(teacher.model.layer2[1], "training", True),
    ],
)
def test_no_way_of_switching_to_training_reaches_it(wake):
    teacher = Teacher(cnn())
    before, expected = state_of(teacher), teacher(IMAGES)
    wake(teacher)
    assert torch.equal(teacher(IMAGES), expected)
    assert not any(module.training for module in teacher.modules())
    assert_same_state(teacher, before)


def test_the_models_own_batch_norm_would_have_drifted():
    model = cnn()
    before = state_of(model)
    model(IMAGES)
    with pytest.raises(AssertionError):
        assert_same_state(model, before)


def test_buffers_that_change_in_eval_mode_do_not_drift():
    teacher = Teacher(Counting())
    before, x = state_of(teacher), torch.ones(2, 4)
    first, second = teacher(x), teacher(x)
    assert torch.equal(first, second)
    assert_same_state(teacher, before)


def test_buffers_loaded_later_are_the_ones_used():
    teacher = Teacher(Counting())
    state = state_of(teacher)
    state["model.calls"].fill_(100)
    before = teacher(torch.zeros(2, 4))
    teacher.load_state_dict(state)
    torch.testing.assert_close(teacher(torch.zeros(2, 4)), before + 100)


def test_the_output_is_a_constant_that_the_students_graph_can_hold():
    teacher, student = Teacher(cnn()), cnn()
    images = IMAGES.clone().requires_grad_()
    logits = teacher(images)
    assert not logits.requires_grad
    assert not logits.is_inference()
    F.mse_loss(student(images), logits).backward()
    (student(IMAGES) * logits).sum().backward()
    assert all(parameter.grad is not None for parameter in student.parameters())
    assert all(parameter.grad is None for parameter in teacher.model.parameters())


def test_nothing_is_recorded_for_a_backward_not_even_towards_the_images():
    class Asks(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full((1,), float(torch.is_grad_enabled())) + 0 * x.sum()

    assert Teacher(Asks())(IMAGES.clone().requires_grad_()).item() == 0


def test_outputs_of_other_types_are_detached():
    class Many(nn.Module):
        def forward(self, x):
            with torch.enable_grad():
                return {"logits": x * 2, "features": [x + 1, (x - 1, "name")]}

    x = torch.ones(2, requires_grad=True)
    output = Teacher(Many())(x)
    assert not output["logits"].requires_grad
    assert not output["features"][0].requires_grad
    assert not output["features"][1][0].requires_grad
    assert output["features"][1][1] == "name"


def test_an_optimiser_gets_nothing_from_it():
    teacher, student = Teacher(cnn()), cnn()
    assert list(teacher.parameters()) == []
    assert list(teacher.named_parameters()) == []
    before = state_of(teacher)
    both = [*student.parameters(), *teacher.parameters()]
    optimizer = torch.optim.AdamW(both, lr=0.1, weight_decay=0.5)
    F.mse_loss(student(IMAGES), teacher(IMAGES)).backward()
    optimizer.step()
    assert_same_state(teacher, before)
    with pytest.raises(ValueError, match="empty parameter list"):
        torch.optim.AdamW(teacher.parameters())


def test_a_parent_that_unfreezes_and_trains_all_it_has_does_not_train_the_teacher():
    parent = nn.ModuleDict({"teacher": Teacher(cnn()), "student": cnn()})
    before = state_of(parent["teacher"])
    parent.requires_grad_(True)
    optimizer = torch.optim.AdamW(parent.parameters(), lr=0.1, weight_decay=0.5)
    F.mse_loss(parent["student"](IMAGES), parent["teacher"](IMAGES)).backward()
    optimizer.step()
    assert_same_state(parent["teacher"], before)


def test_a_copy_is_not_reached_by_training_the_model_it_was_made_of():
    student = cnn()
    teacher = Teacher(student)
    expected = teacher(IMAGES)
    assert student.training
    assert all(parameter.requires_grad for parameter in student.parameters())
    optimizer = torch.optim.SGD(student.parameters(), lr=1.0)
    student(IMAGES).square().sum().backward()
    optimizer.step()
    assert torch.equal(teacher(IMAGES), expected)


def test_without_a_copy_the_model_itself_is_frozen_and_training_it_fails_loudly():
    model = cnn()
    teacher = Teacher(model, copy=False)
    assert teacher.model is model
    model.train()
    before = state_of(model)
    teacher(IMAGES)
    assert_same_state(model, before)
    with pytest.raises(RuntimeError, match="does not require grad"):
        model(IMAGES).sum().backward()


def test_a_teacher_of_a_teacher_is_one_teacher():
    teacher = Teacher(cnn())
    assert type(Teacher(teacher).model) is type(teacher.model)
    assert Teacher(teacher, copy=False).model is teacher.model


def test_what_cannot_be_copied_is_said():
    model = nn.Linear(2, 2)
    model.scale = model.weight * 2  # not a leaf: torch refuses to copy it
    with pytest.raises(ModelError, match="copy=False"):
        Teacher(model)
    assert Teacher(model, copy=False)(torch.ones(1, 2)).shape == (1, 2)
    with pytest.raises(ModelError, match="not of function"):
        Teacher(lambda x: x)


def test_it_survives_deepcopy_saving_and_changes_of_dtype():
    teacher = Teacher(cnn())
    expected = teacher(IMAGES)
    twin = copy.deepcopy(teacher)
    twin.model.train()
    assert torch.equal(twin(IMAGES), expected)
    assert twin.model is not teacher.model
    assert not any(module.training for module in twin.modules())

    stored = io.BytesIO()
    torch.save(teacher.state_dict(), stored)
    stored.seek(0)
    other = Teacher(build_model("cnn-4", image_shape=(3, 8, 8), num_classes=5))
    other.load_state_dict(torch.load(stored, weights_only=True))
    assert torch.equal(other(IMAGES), expected)

    double = twin.to(torch.float64)
    assert double(IMAGES.double()).dtype == torch.float64
    assert next(iter(twin.model.parameters())).dtype == torch.float64
    assert count_parameters(teacher) == count_parameters(cnn())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_a_teacher_in_another_precision_is_given_its_inputs_in_it(kind):
    expected = Teacher(cnn())(IMAGES)
    found = Teacher(cnn().to(kind))(IMAGES)
    assert found.dtype == kind
    torch.testing.assert_close(found.float(), expected, rtol=0.1, atol=0.1)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("way", ["script", "trace", "freeze", "half"])
@pytest.mark.parametrize("copied", [True, False])
def test_torchscript_is_a_teacher(way, copied):
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.BatchNorm1d(5), nn.Dropout()).eval()
    expected = model(IMAGES)
    program = torch.jit.trace(model, IMAGES) if way == "trace" else torch.jit.script(model)
    if way == "freeze":
        program = torch.jit.freeze(program)
    if way == "half":
        program = program.half()
    teacher = Teacher(program, copy=copied).train()
    found = teacher(IMAGES)
    assert not found.requires_grad
    assert list(teacher.parameters()) == []
    torch.testing.assert_close(found.float(), expected.detach(), rtol=1e-2, atol=1e-2)


def test_wrappers_are_taken_off():
    model = cnn()
    assert type(Teacher(nn.DataParallel(model)).model) is type(model)
    assert type(Teacher(torch.compile(model, backend="eager")).model) is type(model)


def test_it_works_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Teacher(cnn())(IMAGES).dtype == torch.bfloat16
