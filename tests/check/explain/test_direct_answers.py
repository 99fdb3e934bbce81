"""Answers that begin with yes, no or the cause, and that are given where they are true alone."""

from __future__ import annotations

import re

import pytest

from didact.check.explain import explain

KD = """\
def kd(s, t, y, T=4.0):
    p = F.softmax(t.detach() / T, dim=1)
    soft = F.kl_div(F.log_softmax(s / T, dim=1), p, reduction="batchmean") * T * T
    return 0.5 * soft + 0.5 * F.cross_entropy(s, y)
"""
EMA = """\
def update(teacher, student, m=0.999):
    for pt, ps in zip(teacher.parameters(), student.parameters()):
        pt.data = {a} * pt.data + {b} * ps.data
def consistency(s, t):
    return F.mse_loss(F.softmax(s, 1), F.softmax(t.detach(), 1))
"""
REVERSED, RIGHT = EMA.format(a="(1 - m)", b="m"), EMA.format(a="m", b="(1 - m)")
AT = """\
def at(fs, ft):
    a = F.normalize(fs.pow(2).mean(1).flatten(1), dim=1)
    b = F.normalize(ft.detach().pow(2).mean(1).flatten(1), dim=1)
    return (a - b).pow(2).mean()
"""
SUM = """\
def hint(fs, ft):
    total = 0
    for s, t in zip(fs, ft):
        total {op} F.mse_loss(s, t.detach())
    return total
"""
TWO_FORMS = """\
a = (F.softmax(t, 1) * (F.log_softmax(t, 1) - F.log_softmax(s, 1))).sum(dim=1).mean()
b = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1){more})
"""
PIXELS = """\
def seg(s, t):
    b, c, h, w = s.shape
    s = s.permute(0, 2, 3, 1).reshape(-1, c)
    t = t.detach().permute(0, 2, 3, 1).reshape(-1, c)
    return F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="batchmean")
"""
SMALL = """\
def kd(s, t, y, T=4.0):
    soft = nn.KLDivLoss()(F.log_softmax(s / T, dim=1), F.softmax(t.detach() / T, dim=1))
    return soft + F.cross_entropy(s, y)
"""
KERAS = """\
with tf.GradientTape() as tape:
    pred = student(x, training=True)
    soft = tf.nn.softmax(teacher(x, training=False))
    loss = keras.losses.KLDivergence()(soft, tf.nn.softmax(pred))
grads = tape.gradient(loss, {of}.trainable_variables)
"""
ENSEMBLE = """\
def kd(s, teachers, T=4.0):
    p = torch.stack([F.softmax(t / T, dim=1) for t in teachers]).mean(dim=0)
    return F.kl_div(F.log_softmax(s / T, dim=1), p.detach(), reduction="batchmean") * T * T
"""


def answer(code: str, question: str) -> tuple[str, str]:
    asked = explain(f"{question}\n\n{code}").asked
    assert asked is not None, question
    return asked.answer.en, asked.answer.zh


ANSWERED = [
    (REVERSED, "Is my EMA reversed?", "Yes: "),
    (REVERSED, "是不是 EMA 写反了？", "Yes: "),
    (REVERSED, "Why does the teacher jump around exactly like the student?", "This is the cause"),
    (REVERSED, "老师和学生一模一样，抖得厉害，怎么回事？", "This is the cause"),
    (AT, "Can the student have a different number of channels?", "Channels: yes"),
    (AT, "学生和教师的通道数可以不一样吗？", "Channels: yes"),
    (SUM.format(op="="), "Why is it the same with one layer and with three?", "This is the cause"),
    (SUM.format(op="="), "为什么放三层和只放最后一层结果一样？", "This is the cause"),
    (TWO_FORMS.format(more=""), "Why do the two differ by a factor of 10?", "Because kl_div"),
    (TWO_FORMS.format(more=""), "为什么两个结果差了 10 倍？", "Because kl_div"),
    (PIXELS, "Does batchmean divide by the batch or by the pixels?", "By the number of pixels"),
    (PIXELS, "这里 batchmean 除以的是 batch 还是像素数？", "By the number of pixels"),
    (SMALL, "Why is the KD term so small?", "For two reasons"),
    (SMALL, "KD 项特别小，几乎没作用，怎么改？", "For two reasons"),
    (KERAS.format(of="student"), "Does the teacher need stop_gradient?", "No: the gradient"),
    (KERAS.format(of="student"), "教师需要 stop_gradient 吗？", "No: the gradient"),
    (ENSEMBLE, "Should I average the probabilities or the logits?", "Either works"),
    (ENSEMBLE, "应该平均概率还是平均 logits？", "Either works"),
    (KD, "What happens if I forget the detach()?", "Without detach()"),
    (KD, "不写 detach() 会怎样？", "Without detach()"),
    (KD, "Is this the forward or the reverse KL?", "The forward one"),
    (KD, "这是前向还是反向 KL？", "The forward one"),
    (REVERSED, "Mine is as noisy as the student. m = 0.999, is my EMA reversed?", "Yes: "),
    (KD, "Is this right?", "Yes, as far as"),
    (KD, "这样写对吗？", "Yes, as far as"),
]


@pytest.mark.parametrize(("code", "question", "begins"), ANSWERED)
def test_the_answer_comes_first(code: str, question: str, begins: str) -> None:
    english, chinese = answer(code, question)
    assert english.startswith(begins)
    assert re.search("[一-鿿]", chinese)


NOT_GIVEN = [
    (RIGHT, "Is my EMA reversed?", "exchanged"),
    (RIGHT, "Is my EMA reversed?", "is equal to the definition"),
    (SUM.format(op="+="), "Why is it the same with one layer and with three?", "the cause"),
    (TWO_FORMS.format(more=", reduction='batchmean'"), "Why do they differ by a factor?", "B·C"),
    (KERAS.format(of="teacher"), "Does the teacher need stop_gradient?", "No: the gradient"),
    (KD, "Why is the KD term so small?", "1/C"),
    (KD, "My accuracy drops after the first epoch, is this loop ok?", "equal to the definition"),
    (KD, "第一轮之后精度就上不去了，训练循环有问题吗？", "equal to the definition"),
    (KERAS.format(of="student"), "The loss is stuck and does not fall, why?", "zero_grad"),
    (KERAS.format(of="student"), "loss 一直不下降，为什么？", "zero_grad"),
]


@pytest.mark.parametrize(("code", "question", "words"), NOT_GIVEN)
def test_it_is_not_given_where_it_is_not_so(code: str, question: str, words: str) -> None:
    assert words not in answer(code, question)[0]


def test_labels_with_a_second_dimension() -> None:
    code = "loss = F.cross_entropy(s, y.unsqueeze(1))"
    said = answer(code, "RuntimeError: 0D or 1D target tensor expected, multi-target not supported")
    assert "line 1 (`y.unsqueeze(1)`)" in said[0]


@pytest.mark.parametrize(
    "words", ["Shapes are [8, 19, 128, 256].", "logits 的形状是 (8, 19, 64, 64)"]
)
def test_a_shape_in_the_words_counts(words: str) -> None:
    wrong = KD.replace("dim=1", "dim=-1")
    assert "KE131" in {f.code for f in explain(f"{words} 对吗？\n\n{wrong}").findings}
    assert "KE131" not in {f.code for f in explain(f"对吗？\n\n{wrong}").findings}
