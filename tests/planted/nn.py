"""Faults of teachers, taps, projectors, heads and the zoo."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "nn"
TEACHER = "tests/nn/test_teacher.py"

FAULTS = [
    Fault(
        "the teacher trains with the module around it",
        FLOOR,
        '        """Does nothing: a teacher does not train."""\n        return self',
        '        """Trains."""\n        self.model.train(mode)\n        return super().train(mode)',
        TEACHER,
    ),
    Fault(
        "a part that was switched to training stays there",
        FLOOR,
        "if any(part.training for part in self._parts):\n                self.model.eval()",
        "if False:\n                self.model.eval()",
        TEACHER,
    ),
    Fault(
        "the teacher is not frozen",
        FLOOR,
        "self.model.requires_grad_(False)",
        "self.model.requires_grad_(True)",
        TEACHER,
    ),
    Fault(
        "the teacher's buffers move",
        FLOOR,
        'if not type(module).__module__.startswith("torch.nn.")',
        'if type(module).__module__.startswith("torch.nn.")',
        TEACHER,
    ),
    Fault(
        "the teacher is the model itself, not a copy",
        FLOOR,
        "_copy(unwrap(model)) if copy else model",
        "unwrap(model)",
        TEACHER,
    ),
    Fault(
        "the teachers' weights are not divided by their sum",
        FLOOR,
        "tuple(weight / total for weight in weights)",
        "tuple(weight / max(weights) for weight in weights)",
        "tests/nn/test_teachers.py",
    ),
    Fault(
        "the old rows of a wider classifier are drawn anew",
        FLOOR,
        "wider.weight[: classifier.out_features, : classifier.in_features] = like",
        "pass",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "the old biases of a wider classifier are lost",
        FLOOR,
        "wider.bias[: classifier.out_features] = classifier.bias",
        "pass",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "new classes are put before the old ones",
        FLOOR,
        "torch.cat([self.weight, vectors.to(self.weight)])",
        "torch.cat([vectors.to(self.weight), self.weight])",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "the cosines are not scaled",
        FLOOR,
        "return self.scale * self.cosines(features)",
        "return self.cosines(features)",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "the vectors of one class are weighed across the classes",
        FLOOR,
        "torch.sum(grouped.softmax(-1) * grouped, dim=-1)",
        "torch.sum(grouped.softmax(1) * grouped, dim=-1)",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "the features are not brought to length 1",
        FLOOR,
        "F.linear(F.normalize(features, dim=-1), vectors)",
        "F.linear(features, vectors)",
        "tests/nn/test_heads.py",
    ),
    Fault(
        "a tap gives the first of several calls",
        FLOOR,
        "return self.values[-1]",
        "return self.values[0]",
        "tests/nn/test_taps.py",
    ),
    Fault(
        "a tap does not notice what was overwritten in place",
        FLOOR,
        "if version is not None and feature._version != version:",
        "if False:",
        "tests/nn/test_taps.py",
    ),
    Fault(
        "a tap remembers the forward before",
        FLOOR,
        "arguments: tuple[Any, ...]) -> None:  # noqa: ARG002\n        self.calls = []",
        "arguments: tuple[Any, ...]) -> None:  # noqa: ARG002\n        pass",
        "tests/nn/test_taps.py",
    ),
    Fault(
        "a copied model records into the original's taps",
        FLOOR,
        "return _Record(index, live=False)",
        "return _Record(index, live=True)",
        "tests/nn/test_taps.py",
    ),
    Fault(
        "a projector ends in a ReLU",
        FLOOR,
        "return nn.Sequential(*layers[:-1])",
        "return nn.Sequential(*layers)",
        "tests/nn/test_adapters.py",
    ),
    Fault(
        "height and width are swapped in a projector",
        FLOOR,
        "(teacher[2], teacher[3]) if self.is_map else None",
        "(teacher[3], teacher[2]) if self.is_map else None",
        "tests/nn/test_adapters.py",
    ),
    Fault(
        "a convolution that two modules read is folded all the same",
        FLOOR,
        "if received_id == id(output) and received[id(output)] == 1",
        "if received_id == id(output)",
        "tests/nn/test_fold.py",
    ),
    Fault(
        "the normalisation of a teacher from elsewhere is inverted",
        FLOOR,
        "shift = (torch.tensor(data_mean) - mean) / std",
        "shift = (mean - torch.tensor(data_mean)) / std",
        "tests/nn/files tests/train/distilling/test_outside_teacher.py",
    ),
    Fault(
        "a teacher from elsewhere is scaled by the other's deviation",
        FLOOR,
        "scale = torch.tensor(data_std) / std",
        "scale = std / torch.tensor(data_std)",
        "tests/nn/files tests/train/distilling/test_outside_teacher.py",
    ),
]
