"""Faults of the laws that losses and steps are tried by."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "probe"
LAWS = "tests/probe/laws/test_planted.py tests/probe/test_run.py"
STEP = "tests/probe/training_step/test_step.py -k 'not process'"

FAULTS = [
    Fault(
        "random's state is not restored",
        FLOOR,
        "        random.setstate(states[0])\n",
        "",
        "tests/probe/test_run.py -k disturb",
    ),
    Fault(
        "NumPy's state is not restored",
        FLOOR,
        "np.random.set_state(states[1])",
        "pass",
        "tests/probe/test_run.py -k disturb",
    ),
    Fault(
        "the number of threads is not restored",
        FLOOR,
        "torch.set_num_threads(before)",
        "pass",
        "tests/probe/test_run.py -k disturb",
    ),
    Fault(
        "a sum over the batch is called twice divided",
        FLOOR,
        '"BATCH-SUM" if power > 0 else "BATCH-TWICE"',
        '"BATCH-TWICE" if power > 0 else "BATCH-SUM"',
        LAWS,
    ),
    Fault(
        "a missing T squared is a wrong power",
        FLOOR,
        "if is_power(exponent, -due):",
        "if is_power(exponent, due):",
        LAWS,
    ),
    Fault(
        "a negative loss is no fault",
        FLOOR,
        "if least >= -case.tolerance * size:",
        "if least >= -1e9 * size:",
        LAWS,
    ),
    Fault(
        "a pushed-away student is no fault",
        FLOOR,
        "    if ratio <= 10 * case.tolerance:\n",
        "    if ratio >= 0:\n",
        LAWS,
    ),
    Fault(
        "the minimum may lie anywhere",
        FLOOR,
        "if minimum.gap < _REACHED:",
        "if minimum.gap < 1e6 * _REACHED:",
        LAWS,
    ),
    Fault(
        "batchmean on sequences is not named",
        FLOOR,
        '("BATCHMEAN-3D",) if is_power(power, 1) else ()',
        "()",
        LAWS,
    ),
    Fault(
        "a lost minus is no fault",
        FLOOR,
        "    if min(cosines) > 0:\n",
        "    if min(cosines) > -2:\n",
        LAWS,
    ),
    Fault(
        "a step moves the student",
        FLOOR,
        "self.model.load_state_dict(self._state)",
        "pass",
        STEP,
    ),
    Fault(
        "the student's own gradients are lost",
        FLOOR,
        "        for parameter, gradient in self._grads:\n            parameter.grad = gradient\n",
        "",
        STEP,
    ),
    Fault(
        "a teacher in training mode is no fault",
        FLOOR,
        "training = sum(run.modes)",
        "training = 0 * sum(run.modes)",
        STEP,
    ),
    Fault(
        "a drifting buffer is called an optimiser's",
        FLOOR,
        '"OPT-HAS-TEACHER" if trained else "BN-DRIFT"',
        '"OPT-HAS-TEACHER"',
        STEP,
    ),
    Fault(
        "a teacher that is the student goes unseen",
        FLOOR,
        "if shared and all(shared):",
        "if shared and not any(shared):",
        STEP,
    ),
    Fault(
        "the halves of a batch are summed",
        FLOOR,
        "return [(a + b) / 2 for a, b in zip(first, second, strict=True)]",
        "return [(a + b) for a, b in zip(first, second, strict=True)]",
        STEP,
    ),
    Fault(
        "normalisation is not held still",
        FLOOR,
        'module.__dict__["train"] = _deaf(module)',
        "pass",
        STEP,
    ),
]
