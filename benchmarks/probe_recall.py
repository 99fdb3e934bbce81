"""Plants the public kinds of mistakes into right losses and says which the probe names.

Each host is right and is written as a text in which a mistake changes one place; hosts differ in
how they are called: a function, a module, a cross-entropy to soft targets, models and a batch, a
language model. Prints the table of docs/probe-survey.md. Exit code 1: a right host is accused.
"""

import linecache
import sys
import textwrap
import types
from dataclasses import dataclass, field
from typing import Any

from didact.probe import ProbeError, probe

_HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


@dataclass(frozen=True)
class Host:
    """A right loss, by the name of what is probed in its text."""

    name: str
    called: str
    text: str
    options: dict[str, Any] = field(default_factory=dict)


_SOFT = """
    log_q = F.log_softmax(s / T, dim=-1)
    p = F.softmax(t / T, dim=-1)
    soft = F.kl_div(log_q, p, reduction="batchmean") * T**2
    hard = F.cross_entropy(s, y)
    return alpha * soft + (1 - alpha) * hard
"""
_AFTER = textwrap.indent(_SOFT.lstrip("\n"), "    ")
HOSTS = (
    Host(
        "function",
        "kd",
        "def kd(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):\n"
        "    s, t, y = student_logits, teacher_logits, labels" + _SOFT,
    ),
    Host(
        "module",
        "Distillation",
        "class Distillation(nn.Module):\n"
        "    def __init__(self, temperature=4.0, alpha=0.5):\n"
        "        super().__init__()\n"
        "        self.temperature, self.alpha = temperature, alpha\n\n"
        "    def forward(self, outputs, targets, teacher_outputs):\n"
        "        s, t, y = outputs, teacher_outputs, targets\n"
        "        T, alpha = self.temperature, self.alpha\n" + _AFTER,
    ),
    Host(
        "models and a batch",
        "Trainer.training_step",
        "class Trainer:\n"
        "    def __init__(self, student, teacher, args):\n"
        "        self.student, self.teacher, self.args = student, teacher, args\n\n"
        "    def training_step(self, batch):\n"
        "        x, y = batch\n"
        "        with torch.no_grad():\n"
        "            t = self.teacher(x)\n"
        "        s = self.student(x)\n"
        "        T, alpha = self.args.temperature, self.args.alpha\n" + _AFTER,
    ),
    Host(
        "soft cross-entropy",
        "soft_ce",
        "def soft_ce(outputs, labels, teacher_outputs, params):\n"
        "    s, t, y, T, alpha = outputs, teacher_outputs, labels, params.T, params.alpha\n"
        "    log_q = F.log_softmax(s / T, dim=-1)\n"
        "    p = F.softmax(t / T, dim=-1)\n"
        "    soft = -(p * log_q).sum(-1).mean() * T**2\n"
        "    hard = F.cross_entropy(s, y)\n"
        "    return alpha * soft + (1 - alpha) * hard\n",
    ),
    Host(
        "language model",
        "lm",
        "def lm(student_logits, teacher_logits, labels, num_items_in_batch, T=2.0, alpha=0.5):\n"
        "    s, t, y = student_logits[:, :-1], teacher_logits[:, :-1], labels[:, 1:]\n"
        "    kept = y != -100\n"
        "    log_q = F.log_softmax(s / T, dim=-1)\n"
        "    p = F.softmax(t / T, dim=-1)\n"
        '    each = F.kl_div(log_q, p, reduction="none").sum(-1)\n'
        "    soft = (each * kept).sum() / num_items_in_batch * T**2\n"
        '    hard = F.cross_entropy(s.flatten(0, 1), y.flatten(), reduction="sum")\n'
        "    return alpha * soft + (1 - alpha) * hard / num_items_in_batch\n",
    ),
)

Change = tuple[str, str]
FAULTS: tuple[tuple[str, frozenset[str], tuple[Change, ...]], ...] = tuple(
    (name, frozenset(keys.split("|")), changes)
    for name, keys, changes in (
        ("no T²", "NO-T2", ((" * T**2", ""),)),
        ("T in the place of T²", "T-POW1 / T²-TWICE", ((" * T**2", " * T"),)),
        ("T² twice", "T-POW1 / T²-TWICE", ((" * T**2", " * T**2 * T**2"),)),
        ("T on the student alone", "T-ONE-SIDE", (("t / T", "t"),)),
        ("T on the teacher alone", "T-ONE-SIDE", (("log_softmax(s / T", "log_softmax(s"),)),
        ("multiplied by T", "T-INVERTED", (("s / T", "s * T"), ("t / T", "t * T"))),
        ("swapped sides", "SWAPPED", (("s / T", "u / T"), ("t / T", "s / T"), ("u / T", "t / T"))),
        (
            "arguments of kl_div reversed",
            "ARGS-REVERSED",
            (("kl_div(log_q, p,", "kl_div(p, log_q,"),),
        ),
        (
            "mean over the classes",
            "KL-MEAN|CLASS-MEAN",
            (('"batchmean"', '"mean"'), (".sum(-1)", ".mean(-1)")),
        ),
        (
            "sum over the samples",
            "BATCH-SUM",
            (('"batchmean"', '"sum"'), (".sum(-1).mean()", ".sum()")),
        ),
        (
            "softmax twice",
            "SOFTMAX-OF-SOFTMAX",
            (("F.softmax(t / T, dim=-1)", "F.softmax(F.softmax(t / T, dim=-1), dim=-1)"),),
        ),
        ("probabilities as the input", "KL-INPUT-PROBS", (("F.log_softmax(s", "F.softmax(s"),)),
        ("logits as the target", "KL-TARGET-RAW", (("F.softmax(t / T, dim=-1)", "t / T"),)),
        ("logs as the target", "KL-TARGET-LOG", (("p = F.softmax", "p = F.log_softmax"),)),
        ("softmax over the batch", "DIM-0", (("dim=-1", "dim=0"),)),
        (
            "label term on probabilities",
            "CE-ON-PROBS",
            (("cross_entropy(s", "cross_entropy(F.softmax(s, -1)"),),
        ),
        (
            "label term at T",
            "HARD-CE-AT-T",
            (("hard = F.cross_entropy(s", "hard = F.cross_entropy((s / T)"),),
        ),
        ("weights that do not add up", "NON-CONVEX|WEIGHT-TYPO", (("alpha * soft", "soft"),)),
        ("a weight added", "WEIGHT-TYPO|NON-CONVEX", (("alpha * soft", "alpha + soft"),)),
        ("the sign lost", "SIGN-MISSING", (("alpha * soft", "-alpha * soft"),)),
        (
            "student detached",
            "GRAPH-CUT|STUDENT-UNUSED",
            (("log_softmax(s", "log_softmax(s.detach()"),),
        ),
        ("teacher's gradient", "TEACHER-GRAD", (("torch.no_grad()", "torch.enable_grad()"),)),
        ("padding distilled", "PAD-UNMASKED", (("(each * kept).sum()", "each.sum()"),)),
        (
            "mask after the reduction",
            "PAD-UNMASKED|REDUCED-THEN-MASKED",
            (("(each * kept).sum()", "(each.mean() * kept).sum()"),),
        ),
        (
            "batchmean on [B, S, C]",
            "BATCHMEAN-3D",
            (
                (
                    'each = F.kl_div(log_q, p, reduction="none").sum(-1)',
                    'each = F.kl_div(log_q, p, reduction="batchmean")',
                ),
                ("(each * kept).sum() / num_items_in_batch", "each"),
            ),
        ),
        (
            "average of each micro-batch",
            "ITEMS-UNUSED",
            (
                ("num_items_in_batch * T**2", "kept.sum() * T**2"),
                ("hard / num_items_in_batch", "hard / kept.sum()"),
            ),
        ),
        (
            "teacher not shifted alike",
            "TEACHER-SHIFTED",
            (("teacher_logits[:, :-1]", "teacher_logits[:, 1:]"),),
        ),
        ("labels not shifted", "LABELS-SHIFTED", (("labels[:, 1:]", "labels[:, :-1]"),)),
        (
            "missing classes filled with 0",
            "VOCABULARY-FILLED",
            (("    kept =", "    s = F.pad(s, (0, t.shape[-1] - s.shape[-1]))\n    kept ="),),
        ),
    )
)
"""What is planted, the kinds that name it, and the changes that plant it."""


def made(host: Host, text: str, number: int) -> Any:
    """The loss of a text, whose source can be read as that of a file."""
    file = f"<planted {number}>"
    source = _HEAD + text
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    module = types.ModuleType(f"planted_{number}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    exec(compile(source, file, "exec"), module.__dict__)
    found: Any = module
    for part in host.called.split("."):
        found = getattr(found, part)
    return found


def planted(text: str, changes: tuple[Change, ...]) -> str:
    """The text with the mistake; as it was where it has no place for it."""
    for old, new in changes:
        text = text.replace(old, new)
    return text


def judged(host: Host, text: str, number: int) -> tuple[frozenset[str], bool]:
    """The kinds that are named, and whether a law counts as broken."""
    try:
        report = probe(made(host, text, number))
    except ProbeError:
        return frozenset({"unbound"}), False
    return frozenset(m.key for m in report.mistakes), not report.ok


def main() -> int:
    """Prints the table, then the counts."""
    accused = 0
    for number, host in enumerate(HOSTS):
        keys, broken = judged(host, host.text, number)
        accused += broken
        if broken or keys:
            print(f"right, {host.name}: {sorted(keys)}")
    print(f"| Planted | {' | '.join(h.name for h in HOSTS)} |")
    print("|---" * (len(HOSTS) + 1) + "|")
    found = tried = 0
    for row, (name, wanted, changes) in enumerate(FAULTS, start=1):
        cells = []
        for column, host in enumerate(HOSTS):
            text = planted(host.text, changes)
            if text == host.text:
                cells.append("-")
                continue
            keys, broken = judged(host, text, 100 * row + column)
            tried, hit = tried + 1, bool(keys & wanted)
            found += hit
            cells.append("named" if hit else "seen, not named" if broken else "missed")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"{found} of {tried} named; {accused} of {len(HOSTS)} right hosts accused")
    return int(accused > 0)


if __name__ == "__main__":
    raise SystemExit(main())
