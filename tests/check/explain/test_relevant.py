"""Questions are answered by the mistake that explains them, and every question by itself."""

from __future__ import annotations

import pytest

from didact.check.explain import explain
from didact.check.explain.question_text import parts_of, questions_in

ALIAS = """\
old_net = net
for x, y in batches:
    z = net(x)
    with torch.no_grad():
        old = old_net(x)
    kd = F.kl_div(F.log_softmax(z / 2, 1), F.softmax(old / 2, 1), reduction="batchmean") * 4
    opt.zero_grad()
    (F.cross_entropy(z, y) + kd).backward()
    opt.step()
"""
TWICE = """\
def total(s, t, y, T=4.0, a=0.7):
    soft = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T * T
    return a * soft + (1 - a) * F.cross_entropy(F.softmax(s, 1), y)
"""
RIGHT = TWICE.replace("F.softmax(s, 1), y", "s, y")
NO_SQUARE = RIGHT.replace(" * T * T", "")
MEAN = RIGHT.replace('reduction="batchmean"', 'reduction="mean"')
SUMMED = """\
for x, y in loader:
    loss = F.cross_entropy(student(x), y)
    loss.backward()
    opt.step()
    total += loss
"""
PROJECTION = """\
proj = nn.Conv2d(64, 128, 1)
opt = torch.optim.SGD(student.parameters(), lr=0.1)
for x, y in loader:
    loss = F.mse_loss(proj(student(x)), teacher(x).detach())
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
SIGMOIDS = """\
def icarl(s, t, y):
    hot = F.one_hot(y, s.size(1)).float()
    hot[:, : t.size(1)] = torch.sigmoid(t)
    return F.binary_cross_entropy_with_logits(s, hot)
"""
OLD = """\
for i in xrange(10):
    x = Variable(x, volatile=True)
    loss = F.mse_loss(net(x), y)
    print loss.data[0]
"""


def asked(question: str, code: str) -> tuple[str, str]:
    found = explain(f"{question}\n\n{code}").asked
    assert found is not None
    return found.answer.en, found.answer.zh


@pytest.mark.parametrize(
    ("question", "code", "english", "chinese"),
    [
        ("The soft term is always zero. What did I miss?", ALIAS, "This is the cause: old_net is",
         "原因就在这里："),
        ("loss 卡在 1.5 不动了，帮忙看看", TWICE, "This is the cause: cross_entropy applies",
         "原因就在这里："),
        ("loss 越训越大，显存也一直涨，求解", SUMMED, "This is the cause: (1) `opt` steps",
         "原因就在这里：①"),
        ("The loss explodes, the learning rate is fine though?", SUMMED,
         "This is the cause: `opt` steps", "原因就在这里："),
        ("Is the softmax wrong?", TWICE, "Yes: cross_entropy applies", "是的："),
        ("Is the temperature wrong?", TWICE, "What was found is something else: ",
         "查到的是另一处："),
        ("这样写有没有问题？", TWICE, "Yes: cross_entropy applies", "有问题："),
        ("这段代码对吗", TWICE, "No: cross_entropy applies", "不对："),
        ("Do I have to multiply by T squared?", NO_SQUARE, "Yes", "要"),
        ("Is the KL symmetric?", RIGHT, "No: KL(p ‖ q) and KL(q ‖ p) differ.", "不对称："),
        ("How come the CE is not divided by T?", RIGHT, "Because the hard term", "因为硬标签项"),
        ("loss 这么小，正常吗？", MEAN, "Not as it should be: kl_div with", "不正常："),
        ("proj 的权重会被更新吗？", PROJECTION, "No: proj has weights", "不会："),
        ("Accuracy is worse than without a teacher, why?", TWICE, "The likeliest cause",
         "从贴出的代码看"),
        ("Is my loss implemented correctly?", RIGHT, "Yes, as far as the code is shown.",
         "就贴出的部分看"),
        ("Accuracy dropped, what is wrong?", RIGHT, "The cause is not visible",
         "从贴出的代码看不出原因"),
        ("Why can the loss become negative?", RIGHT, "The loss that is shown cannot",
         "只要权重不为负"),
        ("Why sigmoid and not softmax?", SIGMOIDS, "Because each class is judged by "
        "itself", "因为这里"),
        ("Does this still run on PyTorch 2?", OLD, "Not as it stands. What has to be",
         "照原样不行"),
        ("How many GPUs are needed?", RIGHT, "This could not be answered", "仅凭贴出的代码"),
    ],
)  # fmt: skip
def test_the_mistake_answers(question: str, code: str, english: str, chinese: str) -> None:
    found = asked(question, code)
    assert found[0].startswith(english), found[0]
    assert found[1].startswith(chinese), found[1]


def test_every_question_is_answered_once() -> None:
    questions = "Why is the loss stuck? Is this right? Which T should I choose?"
    found = explain(f"{questions}\n\n{TWICE}").asked
    assert found is not None
    assert found.answer.en.startswith("This is the cause: cross_entropy applies")
    assert [one.question.en for one in found.further] == ["Which T should I choose?"]
    assert found.further[0].answer.en.startswith("The code cannot tell")


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("为什么要除以均值，不除行不行？", ["为什么要除以均值", "不除行不行？"]),
        ("这是前向 KL，还是反向 KL？", ["这是前向 KL，还是反向 KL？"]),
        ("loss 一直是负的，怎么解决？", ["loss 一直是负的，怎么解决？"]),
        ("What does line 4 do, and why is the target detached?",
         ["What does line 4 do", "why is the target detached?"]),
        ("Is the mean and the sum the same?", ["Is the mean and the sum the same?"]),
        ("Is this a mean, why?", ["Is this a mean, why?"]),
        ("2) 要不要 detach？", ["要不要 detach？"]),
    ],
)  # fmt: skip
def test_the_questions_of_a_sentence(sentence: str, parts: list[str]) -> None:
    assert parts_of(sentence) == parts


def test_what_a_page_asks_is_no_question() -> None:
    assert (
        questions_in("Was this article helpful?\n这篇文章对你有帮助吗？\nSee also: how to train?")
        == []
    )
    assert questions_in("Why is there a log in kl_div?") == ["Why is there a log in kl_div?"]
    assert questions_in("Why times T**2 here?") == ["Why times T**2 here?"]
