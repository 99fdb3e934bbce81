"""What an author says is meant, and what only looks so: names are read, not letters."""

import pytest

from didact.check.engine.engine import analyse
from didact.check.rules import findings_of

HEAD = "import torch.nn.functional as F\nfrom transformers import Trainer\n\n\n"

PADDING = """def distil(student_logits, teacher_logits, {parameter}):  # [B, S, V]
    s = F.log_softmax(student_logits[:, :-1, :], dim=-1)
    t = F.softmax(teacher_logits[:, :-1, :], dim=-1)
    {line}
    return F.kl_div(s, t, reduction="batchmean")
"""
SWAPPED = """def distil(student_logits, teacher_logits, {parameter}):
    s = F.softmax(student_logits, dim=1)
    t = F.log_softmax(teacher_logits, dim=1)
    {line}
    return F.kl_div(t, s, reduction="batchmean")
"""
ARGMAX = """def distil(student_logits, teacher_logits, {parameter}):
    target = teacher_logits.argmax(dim=1)
    {line}
    return F.cross_entropy(student_logits, target)
"""
ONE_SIDE = """def distil(student_logits, teacher_logits, {parameter}):
    s = F.log_softmax(student_logits, dim=1)
    t = F.softmax(teacher_logits / T, dim=1)
    {line}
    return F.kl_div(s, t, reduction="batchmean")
"""
HARD = """def distil(student_logits, teacher_logits, labels, {parameter}):
    s = F.log_softmax(student_logits / T, dim=1)
    t = F.softmax(teacher_logits / T, dim=1)
    {line}
    hard = F.cross_entropy(student_logits / T, labels)
    return hard + F.kl_div(s, t, reduction="batchmean") * T * T
"""
TEACHERS = """def distil(student_logits, teachers, x, {parameter}):
    total = 0
    for teacher in teachers:
        with torch.no_grad():
            t = F.softmax(teacher(x), dim=1)
        {line}
        total += F.kl_div(F.log_softmax(student_logits, dim=1), t, reduction="batchmean")
    return total
"""
LABELS = """def distil(student_logits, labels, {parameter}):
    {line}
    new = F.cross_entropy(student_logits[:, old:], labels)
    return F.cross_entropy(student_logits, labels) + new
"""
SLICE = """def distil(model, x, {parameter}):
    logits = model(x)
    p = F.softmax(logits, dim=1)
    old = F.softmax(logits[:{line}], dim=1)
    return p, old
"""


def codes(template, *, parameter="keep=None", line="pass"):
    source = HEAD + template.format(parameter=parameter, line=line)
    return {finding.code for finding in findings_of(analyse(source))}


@pytest.mark.parametrize(
    ("code", "template", "parameter", "line"),
    [
        ("KD306", PADDING, "keypad=None", "pass"),
        ("KD306", PADDING, "mask=None", "pass"),
        ("KD306", PADDING, "keep=None", "x = unmasked(s)"),
        ("KD106", SWAPPED, "keep=None", "json.dump(s)"),
        ("KD106", SWAPPED, "beta=None", "pass"),
        ("KD116", ARGMAX, "keep=None", "shard(target)"),
        ("KD203", ONE_SIDE, "keep=None", "audacious(s)"),
        ("KD206", HARD, "keep=None", "position = since(s)"),
        ("KD603", TEACHERS, "keep=None", "loss_mean(t)"),
        ("KD406", LABELS, "keep=None", "assert labels == labels"),
        ("KD406", LABELS, "keep=None", "report('labels = ', labels)"),
        ("KD406", LABELS, "keep=None", "labels = labels.to(device).long()"),
        ("KD406", LABELS, "target=None", "labels = target.cuda()"),
        ("KD406", LABELS, "batch=None", "images, labels = batch"),
        ("KD405", SLICE, "num_classes", "num_classes"),
    ],
)
def test_letters_inside_other_words_silence_nothing(code, template, parameter, line):
    assert code in codes(template, parameter=parameter, line=line)


@pytest.mark.parametrize(
    ("code", "template", "line"),
    [
        ("KD306", PADDING, "s = s * attention_mask"),
        ("KD306", PADDING, "keep = labels != -100"),
        ("KD306", PADDING, "keep = labels != self.padding_idx"),
        ("KD106", SWAPPED, "if self.reverse_kl: log()"),
        ("KD116", ARGMAX, "pseudo_labels = target"),
        ("KD203", ONE_SIDE, "t = self.sharpen(t)"),
        ("KD206", HARD, "l_pos = student_logits"),
        ("KD603", TEACHERS, "t = t / len(teachers)"),
        ("KD406", LABELS, "labels -= old"),
        ("KD406", LABELS, "labels = remap(labels)"),
        ("KD406", LABELS, "y = targets - old; labels = y.to(device)"),
        ("KD405", SLICE, "n_batch"),
    ],
)
def test_what_is_meant_is_left_alone(code, template, line):
    assert code not in codes(template, line=line)


def test_a_docstring_and_a_comment_on_the_statement_say_what_is_meant():
    loss = "    return F.kl_div(t, s, reduction='batchmean')"
    plain = SWAPPED.format(parameter="keep=None", line="pass")
    documented = plain.replace("    s =", '    """Reverse KL, as in MiniLLM."""\n    s =', 1)
    commented = plain.replace('reduction="batchmean")', 'reduction="batchmean")  # 反向 KL')
    far = plain.replace("    s =", "    # reverse the list of names first\n    s =", 1)
    assert loss.replace("'", '"') in plain
    for source, expected in ((plain, 1), (documented, 0), (commented, 0), (far, 1)):
        found = [f.code for f in findings_of(analyse(HEAD + source))]
        assert found.count("KD106") == expected, source
