"""Lines of words around and between whole lines of code leave the code as it stands."""

from __future__ import annotations

import pytest

from didact.check.snippet import recover

CODE = """\
for epoch in range(epochs):
    student.train()
    for x, y in loader:
        with torch.no_grad():
            t = teacher(x)
        loss = kd(student(x), t)
        loss.backward()
    student.eval()
    print(epoch)
"""
BEHIND = [
    "anna: do you need both requires_grad_(False) and no_grad?",
    "nothing moves at all. T = 10",
    "teacher.eval() and student.train() are called once, before all of this.",
    "Student = CIFAR-10 head, teacher = CIFAR-100 head. Which one do I slice?",
    "a comment asks: what happens if you forget the detach()?",
    "n_old=20 n_all=30 的时候报错，怎么改？",
    "teacher.eval() 只在循环外面调用过一次，有问题吗？",
    "训练时 T=4，一直不收敛",
    "运行结果\ntensor(0.0317)",
    "输出：\ntensor(1.25, device='cuda:0', grad_fn=<MulBackward0>)",
    "mia — Today at 14:03",
]
BEFORE = [
    "Re: [Discord #distillation]\n\nmia — Today at 14:02\nanyone know why this is so slow?",
    "jo:",
    "Mean teacher: it jumps around like the student does. decay = 0.999",
    "师兄，下面的循环 eval() 放得对吗",
]


@pytest.mark.parametrize("words", BEHIND)
def test_words_behind_the_code(words: str) -> None:
    assert recover(f"{CODE}{words}\n").source == CODE
    indented = "".join(f"    {line}" for line in CODE.splitlines(keepends=True))
    assert recover(f"Here it is, as promised:\n\n{indented}\n{words}\n").source == CODE


@pytest.mark.parametrize("words", BEFORE)
def test_words_before_the_code(words: str) -> None:
    recovered = recover(f"{words}\n{CODE}")
    assert recovered.source == CODE
    assert recovered.line_map[0] == words.count("\n") + 2


@pytest.mark.parametrize(
    "line", ["loss = kd(a, b) 这一行为什么", "so I wrote loss = kd(a, b)", "T = 4 # warm"]
)
def test_a_statement_in_a_line_of_words_is_kept(line: str) -> None:
    last = recover(f"{CODE}{line}\n").tree.body[-1]
    assert type(last).__name__ == "Assign"


def test_a_tensor_among_arguments_is_no_result() -> None:
    code = "x = stack(\n    a,\ntensor(1.5)\n)\n"
    assert recover("this one is mine and it fails\n" + code).source == code
