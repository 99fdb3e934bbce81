"""Line numbers before the code, with numbers in the printed output behind it."""

from __future__ import annotations

import ast

import pytest

from didact.check.snippet import recover

LINES = """\
for epoch in range(epochs):
    student.train()
    teacher.eval()
    for x, y in loader:
        optimizer.zero_grad()
        with torch.no_grad():
            t = teacher(x)
        s = student(x)
        kd = F.mse_loss(s, t)
        loss = kd + F.cross_entropy(s, y)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
""".splitlines()
OUTPUTS = ["", "Output:\n0 3.4129\n1 3.9862\n2 5.0127", "运行结果：\n1, 2.31\n2, 2.02\n3, 1.97"]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("layout", ["{:<4}{}", "{:>3} {}"])
def test_the_nesting_survives_the_output(layout: str, output: str) -> None:
    listed = "\n".join(layout.format(n, line) for n, line in enumerate(LINES, 1))
    recovered = recover(f"{listed}\n{output}\n")
    outer = next(n for n in recovered.tree.body if isinstance(n, ast.For))
    inner = next(n for n in outer.body if isinstance(n, ast.For))
    assert "loss.backward()" in {ast.unparse(n) for n in inner.body}
    assert "optimizer.step()" in {ast.unparse(n) for n in inner.body}
    assert ast.unparse(outer.body[-1]) == "print(epoch, loss.item())"
    assert not any("indentation" in note.en for note in recovered.guesses)
