"""From what a web page made of code back to statements."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didact.check.snippet import Recovered, recover
from didact.check.snippet.repair import LAMBDA


def lines(text: str) -> list[str]:
    return recover(text).source.rstrip("\n").split("\n")


def told(recovered: Recovered) -> str:
    return " ".join(guess.en for guess in recovered.guesses)


def test_a_file_that_parses_is_kept_as_it_is() -> None:
    text = "import torch\n\n\ndef f(x):\n    # x = 1\n    return x  # y = 2 is not code here\n"
    recovered = recover(text)
    assert recovered.source == text
    assert recovered.guesses == []
    assert recovered.line_map == [1, 2, 3, 4, 5, 6]


def test_chinese_comments_glued_to_the_next_statement() -> None:
    text = (
        "out = self.net(x)#得到新模型的输出 target_curr = label#当前标签loss = f(out, target_curr)"
    )
    assert lines(text) == [
        "out = self.net(x)  #得到新模型的输出",
        "target_curr = label  #当前标签",
        "loss = f(out, target_curr)",
    ]


def test_a_comment_behind_one_space_stood_above_the_next_statement() -> None:
    text = "t = teacher(x) # no gradient for the teacher s = student(x)  # forward loss = kd(s, t)"
    assert lines(text) == [
        "t = teacher(x)",
        "# no gradient for the teacher",
        "s = student(x)  # forward",
        "loss = kd(s, t)",
    ]
    assert lines("t = teacher(x) # no gradient s = student(x) # forward") == [
        "t = teacher(x)  # no gradient",
        "s = student(x)  # forward",
    ]


def test_comments_of_one_space_go_where_what_they_speak_of_stands() -> None:
    code = "p = F.softmax(t, 1) # {} q = F.log_softmax(s, 1) # {} l = F.kl_div(q, p)"
    behind = lines(code.format("the teacher", "the student"))
    assert behind == [
        "p = F.softmax(t, 1)  # the teacher",
        "q = F.log_softmax(s, 1)  # the student",
        "l = F.kl_div(q, p)",
    ]
    before = lines(code.format("the student", "the divergence kl_div"))
    assert before[1:4:2] == ["# the student", "# the divergence kl_div"]


def test_a_disabled_statement_stays_in_its_comment() -> None:
    assert lines("a = f(x) # b = g(x)") == ["a = f(x) # b = g(x)"]
    assert lines("a = f(x) #b = g(x) c = h(x)") == ["a = f(x)  #b = g(x)", "c = h(x)"]


def test_a_sentence_with_an_equation_is_no_code() -> None:
    assert lines("a = f(x) # here T = 4 is the temperature b = g(a)") == [
        "a = f(x)",
        "# here T = 4 is the temperature",
        "b = g(a)",
    ]


@pytest.mark.parametrize("tail", ["逐行解释", " 请逐行解释", " 这段代码什么意思？"])
def test_trailing_words_are_cut_off(tail: str) -> None:
    recovered = recover(f"loss = a + b return loss{tail}")
    assert recovered.source == "loss = a + b\nreturn loss\n"
    assert tail.strip()[:4] in recovered.guesses[-1].zh


def test_words_around_the_code() -> None:
    text = "Can you explain loss = nn.KLDivLoss()(a, b) and why is it negative"
    assert lines(text) == ["loss = nn.KLDivLoss()(a, b)"]
    assert lines("请解释这一行：loss = F.kl_div(a, b)") == ["loss = F.kl_div(a, b)"]


def test_full_width_punctuation_outside_strings_only() -> None:
    text = "loss ＝ f（a，b，reduction＝“sum”） ＃损失，如下\nprint(“温度：”，T)"
    assert lines(text) == ['loss = f(a,b,reduction="sum")  #损失，如下', 'print("温度：",T)']


def test_lambda_as_a_name_is_renamed_and_real_ones_are_not() -> None:
    recovered = recover("def f(a, lambda): g = lambda x: x + 1 return g(a) * lambda + (1 - lambda)")
    assert recovered.source == (
        "def f(a, lambda_):\n    g = lambda x: x + 1\n    return g(a) * lambda_ + (1 - lambda_)\n"
    )
    assert LAMBDA in recovered.guesses


def test_nesting_of_a_training_loop() -> None:
    text = (
        "for epoch in range(n): model.train() for x, y in loader: optimizer.zero_grad() "
        "out = model(x) loss = f(out, y) loss.backward() optimizer.step() total += loss.item() "
        "scheduler.step()"
    )
    assert recover(text).source == (
        "for epoch in range(n):\n    model.train()\n    for x, y in loader:\n"
        "        optimizer.zero_grad()\n        out = model(x)\n        loss = f(out, y)\n"
        "        loss.backward()\n        optimizer.step()\n        total += loss.item()\n"
        "    scheduler.step()\n"
    )
    assert "Nesting guessed" in told(recover(text))


def test_nesting_of_if_else_and_no_grad() -> None:
    text = (
        "def f(self, x, y): out = self.net(x) if self.old is not None: with torch.no_grad(): "
        "q = self.old(x) loss = ce(out, y) + kd(out, q) else: loss = ce(out, y) return loss"
    )
    assert recover(text).source == (
        "def f(self, x, y):\n    out = self.net(x)\n    if self.old is not None:\n"
        "        with torch.no_grad():\n            q = self.old(x)\n"
        "        loss = ce(out, y) + kd(out, q)\n    else:\n        loss = ce(out, y)\n"
        "    return loss\n"
    )


def test_a_sum_over_teachers_ends_with_its_loop() -> None:
    text = "total = 0 for t in teachers: total += kd(s, t) total = total / len(teachers)"
    assert lines(text)[1:] == [
        "for t in teachers:",
        "    total += kd(s, t)",
        "total = total / len(teachers)",
    ]


def test_the_copy_of_the_old_model_is_made_after_the_epochs() -> None:
    text = (
        'def fit(self, loader): """Trains.""" for epoch in range(n): for x, y in loader: '
        "loss = f(x, y) loss.backward() scheduler.step() self.old = copy.deepcopy(self.net) "
        "self.old.eval()"
    )
    assert recover(text).source == (
        'def fit(self, loader):\n    """Trains."""\n    for epoch in range(n):\n'
        "        for x, y in loader:\n            loss = f(x, y)\n            loss.backward()\n"
        "        scheduler.step()\n    self.old = copy.deepcopy(self.net)\n    self.old.eval()\n"
    )


def test_runs_of_spaces_give_the_exact_nesting() -> None:
    text = "def f(x, y):     z = x + y     if z:         return z     return y"
    assert lines(text) == [
        "def f(x, y):",
        "    z = x + y",
        "    if z:",
        "        return z",
        "    return y",
    ]


def test_methods_stand_in_their_class() -> None:
    text = (
        "class A(nn.Module): def __init__(self): super().__init__() self.T = 4 "
        "def forward(self, x): return x / self.T def helper(x): return x"
    )
    tree = recover(text).tree
    assert [type(n).__name__ for n in tree.body] == ["ClassDef", "FunctionDef"]
    assert isinstance(tree.body[0], ast.ClassDef)
    assert [n.name for n in tree.body[0].body if isinstance(n, ast.FunctionDef)] == [
        "__init__",
        "forward",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (">>> x = 1\n>>> for i in x:\n...     f(i)\n1\n", "x = 1\nfor i in x:\n    f(i)\n"),
        ("In [3]: x = f(1)\nOut[3]: 7\n", "x = f(1)\n"),
        ("1  x = f(1)\n2  y = g(x)\n3  z = h(y)\n", "x = f(1)\ny = g(x)\nz = h(y)\n"),
        ("```python\nx = f(1)\n```\ntext\n```bash\nls\n```\n", "x = f(1)\n"),
        ("$ pip install torch\nx = f(1)\n", "x = f(1)\n"),
        ("<p>x = f(1)<br>if x &gt; 2:<br>&nbsp;&nbsp;y = x</p>", "x = f(1)\nif x > 2:\n  y = x\n"),
        ("print x\n", "print(x)\n"),
        ("> x = f(1)\n> y = x\n", "x = f(1)\ny = x\n"),
        ("x\u00a0=\u00a0f(1)\u200b\n", "x = f(1)\n"),
        ("def f(x):\n\ty = x\n        return y\n", "def f(x):\n    y = x\n    return y\n"),
        ("  a = f(1)\n    b = a\n", "a = f(1)\nb = a\n"),
        ("def f(x, ...):\n    return x\n", "def f(x):\n    return x\n"),
        ("for x in y\n    f(x)\n", "for x in y:\n    f(x)\n"),
        ("def f(x):\n", "def f(x):\n    pass\n"),
        ("else:\n    x = f(1)\n", "if True:\n    x = f(1)\n"),
    ],
)  # fmt: skip
def test_what_a_page_adds_is_taken_away(text: str, wanted: str) -> None:
    recovered = recover(text)
    assert recovered.source.replace("\n\n", "\n") == wanted
    assert recovered.guesses


def test_an_unfinished_call_is_closed() -> None:
    assert recover("loss = f(a, g(b)\nreturn loss\n").source == "loss = f(a, g(b))\nreturn loss\n"


def test_lines_are_traced_back_to_the_paste() -> None:
    recovered = recover("请看：\n\nx = f(1)\nfor i in x:\nprint i\n")
    assert recovered.line_map == [3, 4, 5]


def test_no_code_at_all() -> None:
    recovered = recover("什么是知识蒸馏？")
    assert recovered.source.strip() == ""
    assert "No Python code" in told(recovered)


_PARTS = [
    "for x in y:", "if a:", "else:", "elif b:", "return ", "x", "=", "1", "#", "注释", "，", "“",
    "”", "'", '"', '"""', "(", ")", "[", "]", "{", "}", "lambda", ":", "\n", "    ", " ", "def f(",
    "class A:", "@dec ", "try:", "except:", "finally:", "print x", ">>> ", "In [1]: ", "```",
    "```python", "\\", ";", "F.kl_div(a, b)", "loss.backward()", "&lt;", "<br>", "\t", "...",
    "import torch", "with a as b:", "$ ls", "12 ", "\u200b", "\x00", "\r", "async ", "await ",
    "not ", "in ", "is ", "yield ", "*", "**", "->", ":=", "\ud800",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@settings(max_examples=250, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(_PARTS), max_size=25).map("".join), st.text(max_size=60)))
def test_any_text_is_accepted(text: str) -> None:
    recovered = recover(text)
    ast.parse(recovered.source)
    assert len(recovered.line_map) == recovered.source.count("\n")
    assert recover(text).source == recovered.source


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_loop_survives_the_loss_of_its_newlines(data: st.DataObject) -> None:
    """Any order of such statements comes back line by line."""
    pool = [
        "out = net(x)", "old_out = old_net(x)", "loss = F.cross_entropy(out, y)", "del old_out",
        "kd = F.kl_div(F.log_softmax(out / T, dim=1), q)", "optimizer.step()", "loss.backward()",
        "x, y = x.to(device), y.to(device)", "assert out.shape == y.shape",
        "total += loss.item()", "w = a if a > 0 else b", "m = [i for i in x if i not in y]",
        'print("loss:", loss)',
    ]  # fmt: skip
    chosen = data.draw(st.lists(st.sampled_from(pool), min_size=2, max_size=8))
    comments = data.draw(st.lists(st.sampled_from(["", " #得到输出"]), min_size=8, max_size=8))
    glued = " ".join(line + note for line, note in zip(chosen, comments, strict=False))
    got = [line.split("  #")[0] for line in lines(glued)]
    assert got == chosen


NUMBERED = [
    "def f(a):", "    if a:", "        b = a + 1", "        c = b * 2", "    else:",
    "        c = 0",
    "    d = g(c,", "          a)", "    return d", "", "print(f(2))",
]  # fmt: skip


@pytest.mark.parametrize("start", [1, 5, 95, 995])
@pytest.mark.parametrize("form", ["left", "right", "dots", "bar", "gap"])
def test_line_numbers_of_any_width_leave_the_indentation(start: int, form: str) -> None:
    last = len(str(start + len(NUMBERED)))
    forms = {
        "left": lambda n, line: f"{n}".ljust(last + 2) + line,
        "right": lambda n, line: f"{n}".rjust(last) + " " + line,
        "dots": lambda n, line: f"{n}.".ljust(last + 3) + line,
        "bar": lambda n, line: f"{n}".rjust(last) + " | " + line,
        "gap": lambda n, line: f"{n}   " + line,
    }
    text = "\n".join(forms[form](n, line) for n, line in enumerate(NUMBERED, start))
    expected = ast.dump(ast.parse("\n".join(NUMBERED)))
    assert ast.dump(recover(text).tree) == expected
    assert ast.dump(recover(f"{text}\n这里是什么意思？\n").tree) == expected


@pytest.mark.parametrize(
    "code",
    [
        "软 = F.kl_div(a, b)\n",
        "损失_kd = f(a)\n损失_kd.backward()\n",
        "温度 = 4.0\nx = y / 温度\n",
        "总损失 = f(学生输出, 标签)\n",
        "loss = f(学生输出, 标签)\n",
    ],
)
def test_names_in_chinese_are_left_alone(code: str) -> None:
    assert recover(code).source == code
    assert recover(f"请问下面的代码哪里不对？\n\n{code}").source == code


@pytest.mark.parametrize(
    "words",
    [
        "为什么 loss.backward() 要放在 optimizer.step() 前面?",
        "Mean Teacher 里 model.eval() 放在这里对吗",
        "把 x.view(-1, C) 去掉之后结果就不对了。",
        "Should I call model.eval() before the loop, or after it?",
        '  File "/a/b.py", line 3, in <module>\nmain()\nTypeError: f() got an unexpected keyword'
        " argument 'x'",
        '[rank1]: Traceback (most recent call last):\n[rank1]:   File "a.py", line 3, in f\n'
        "[rank1]:     g(x)\n[rank1]: ValueError: g(x) failed",
        "RuntimeError: shape mismatch, got (3, 4)",
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_sentences_and_errors_that_mention_code_are_no_code(words: str, before: bool) -> None:
    code = "s = net(x)\nt = old(x)\nloss = kd(s, t)\n"
    text = f"{words}\n\n{code}" if before else f"{code}\n{words}\n"
    assert recover(text).source.strip() == code.strip()


def test_an_assignment_of_an_empty_list_is_no_button() -> None:
    code = "history = []\nfor x in loader:\n    history.append(f(x))\n"
    assert recover(f"求助，显存不够\n{code}").source == code
