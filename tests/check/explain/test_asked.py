"""The question and the error message of a paste: what is answered, and what is said not to be."""

from __future__ import annotations

import pytest

from didact.check.explain import Explanation, explain

LOOP = """\
for x, y in loader:
    with torch.no_grad():
        t = teacher(x)
    s = student(x)
    loss = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T * T
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
PEERS = """\
a = net_a(x)
b = net_b(x)
loss_a = F.kl_div(F.log_softmax(a, 1), F.softmax(b, 1), reduction="batchmean")
loss_b = F.kl_div(F.log_softmax(b, 1), F.softmax(a, 1), reduction="batchmean")
loss_a.backward()
opt_a.step()
loss_b.backward()
opt_b.step()
"""


def answer(text: str) -> str:
    asked = explain(text).asked
    assert asked is not None
    assert asked.answer.zh
    return asked.answer.en


@pytest.mark.parametrize(
    ("code", "message", "begins", "names"),
    [
        (
            "with torch.no_grad():\n    s = student(x)\n    loss = F.mse_loss(s, t)\n"
            "loss.backward()\n",
            "RuntimeError: element 0 of tensors does not require grad",
            "The error says that the tensor on which backward()",
            "line 1 (`torch.no_grad()`)",
        ),
        (
            PEERS,
            "RuntimeError: Trying to backward through the graph a second time",
            "The error says that two backward passes",
            "line 7 (`loss_b.backward()`)",
        ),
        (
            PEERS,
            "RuntimeError: one of the variables has been modified by an inplace operation",
            "The error says that a tensor which the backward pass",
            "line 6 (`opt_a.step()`)",
        ),
        (
            "class D(Trainer):\n    def compute_loss(self, model, inputs, return_outputs=False):\n"
            "        return model(**inputs).loss\n",
            "TypeError: D.compute_loss() got an unexpected keyword argument 'num_items_in_batch'",
            "Newer versions of transformers",
            "line 2 (`def compute_loss(",
        ),
        (
            "def soft(s, t):\n    return F.mse_loss(s, t)\n",
            "TypeError: soft() got an unexpected keyword argument 'weight'",
            "The error says that a function was called with the argument `weight`",
            "line 1 (`def soft(s, t)`)",
        ),
        (
            LOOP + "    total += loss\n",
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
            "The GPU's memory is full",
            "line 9 (`total += loss`)",
        ),
        (
            "loss = F.mse_loss(fs, ft)\n",
            "RuntimeError: The size of tensor a (64) must match the size of tensor b (256)",
            "The error says that two tensors of different size meet",
            "tensor a (64)",
        ),
    ],
)
@pytest.mark.parametrize("form", ["traceback", "line", "comment", "sentence"])
def test_an_error_message_is_answered_first(
    code: str, message: str, begins: str, names: str, form: str
) -> None:
    forms = {
        "traceback": f'{code}\nTraceback (most recent call last):\n  File "a.py", line 3, in f\n'
        f"    f(x)\n{message}\n",
        "line": f"{code}\n{message}\n",
        "comment": f"{code}# {message}\n",
        "sentence": f"{code}\n运行时出现 {message} 这是为什么？\n",
    }
    found = answer(forms[form])
    assert found.startswith(begins)
    assert names in found


def test_an_error_that_is_not_known_is_repeated() -> None:
    found = answer("loss = F.mse_loss(a, b)\n\nRuntimeError: cuDNN error: NOT_INITIALIZED\n")
    assert "no ready explanation" in found
    assert "`RuntimeError: cuDNN error: NOT_INITIALIZED`" in found


@pytest.mark.parametrize(
    "question",
    ["请问 resnet18 换成 mobilenet 之后速度能快多少?", "How many GPUs did they use in the paper?"],
)
def test_a_question_without_an_answer(question: str) -> None:
    found = answer(f"{LOOP}\n{question}\n")
    assert found.startswith("This could not be answered from the code that is shown.")


@pytest.mark.parametrize(
    ("question", "code", "begins"),
    [
        ("这里为什么不用温度?", "loss = F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1))\n",
         "Without a temperature T = 1"),
        ("Why is there no temperature here?", "loss = F.kl_div(F.log_softmax(s, 1), t)\n",
         "Without a temperature T = 1"),
        ("能不能不 permute,直接 view(-1, C) 呢?", "s = s.permute(0, 2, 3, 1).reshape(-1, C)\n",
         "view reads the numbers"),
        ("平均的时候填充位置也算进去了吗?", "loss = (kl * mask).mean()\n", "Yes: the padded"),
        ("平均的时候填充位置也算进去了吗?", "loss = (kl * mask).sum() / mask.sum()\n",
         "No: the sum is divided"),
        ("为什么显存一直涨?", LOOP + "    losses.append(loss)\n",
         "This is the cause: `loss` is kept"),
        ("为什么显存一直涨?", LOOP + "    losses.append(loss.item())\n", "No line shown here"),
        ("两边维度不同,为什么不需要投影层?", "d = torch.cdist(f, f)\nloss = F.mse_loss(d, e)\n",
         "Because what is compared are relations"),
        ("EMA 更新放在 step 之后对吗?", LOOP + "    update_ema(student, ema)\n", "Yes, after"),
        ("EMA 更新放在这里对吗?", "update_ema(net, ema)\nopt.step()\n", "It belongs after"),
        ("为什么 labels 要错开一位?", "y = labels[:, 1:]\nloss = F.cross_entropy(z, y)\n",
         "A language model's output"),
        ("loss 一直不下降,怎么回事?", LOOP, "What is shown does not tell why"),
        ("loss 怎么变成 nan 了?", "l = (p * (p / q).log()).sum()\n",
             "These operations can make it"),
        ("loss 怎么变成 nan 了?", LOOP, "Nothing that is shown here makes NaN"),
        ("为什么要乘温度的平方?", LOOP, "∂KL/∂s_i"),
    ],
)  # fmt: skip
def test_questions_that_are_answered(question: str, code: str, begins: str) -> None:
    assert answer(f"{question}\n\n{code}").startswith(begins)


def test_a_loss_over_teachers_keeps_no_graph_of_past_steps() -> None:
    code = (
        "for x, y in loader:\n    kd = 0\n    for t in teachers:\n        kd += "
        "kl_loss(s(x), t(x))\n"
        "    loss = kd / 3\n    loss.backward()\n"
    )
    told = answer(f"显存不够怎么办?\n\n{code}")
    assert "runs with a graph" in told
    assert "kept" not in told.split(":")[1]


def test_words_around_a_fence_hold_the_question() -> None:
    page = f"训练时 **loss 不动**,想问一下原因:\n\n```python\n{LOOP}```\n"
    asked = explain(page).asked
    assert asked is not None
    assert asked.question.zh == "训练时 loss 不动,想问一下原因:"


def explained(code: str) -> Explanation:
    return explain(code)


@pytest.mark.parametrize(
    ("code", "said", "not_said"),
    [
        ("d = min(1 - 1 / (step + 1), 0.9)\n", "上限 `0.9`", "的最小值"),
        ("s = logits[:, :-1, :]\n", "去掉最后一个位置", "类别"),
        ("y = labels[..., 1:]\n", "去掉第一个位置", "类别"),
        ("for pe, ps in zip(ema.parameters(), net.parameters()):\n    pe.mul_(0.9)\n", "参数",
         "教师"),
        ("criterion = DistillLoss()\n", "新建的损失对象", "作用于"),
        ("import jax\ng = jax.grad(loss_fn)(params, x)\n", "对其第一个参数 `params`", "损失值"),
        ("g = torch.autograd.grad(loss, weights)\n", "`loss` 对 `weights` 的梯度", "函数"),
        ("import jax\ng = jax.grad(loss_fn)\n", "的梯度函数", "损失值"),
        ("n, c, h, w = preds.shape\n", "取出 `preds` 的形状", "令"),
        ("a, b = torch.randn(2, 3), torch.randn(2, 4)\n", "都是标准正态", "；"),
        ("update(net, 3)\n", "", "返回值"),
        ("trainer.train()\n", "训练流程", "dropout"),
        ("x = x.view(-1)\n", "展平成一维", "重新解释"),
    ],
)  # fmt: skip
def test_ordinary_sentences(code: str, said: str, not_said: str) -> None:
    text = "".join(note.explanation.zh for note in explained(code).statements)
    assert said in text
    assert not_said not in text


def test_no_gradient_is_claimed_outside_pytorch() -> None:
    code = (
        "import tensorflow as tf\nteacher_logits = teacher(x, training=False)\n"
        "p = tf.nn.softmax(teacher_logits / T, axis=1)\n"
    )
    assert all("回传梯度" not in note.explanation.zh for note in explained(code).statements)


def test_a_correction_that_undoes_another_is_not_made() -> None:
    code = (
        "def step(net_s, net_t, img, target, alpha, T):\n    with torch.no_grad():\n"
        "        t = net_t(img)\n    s = net_s(img)\n    prob = F.softmax(s, dim=1)\n"
        "    hard = nn.CrossEntropyLoss()(prob, target)\n"
        "    soft = F.kl_div(F.log_softmax(s / T, dim=1), F.softmax(t / T, dim=1),"
        " reduction='batchmean') * T * T\n    return alpha * soft + (1 - alpha) * hard\n"
    )
    found = explained(code)
    assert "CrossEntropyLoss()(s, target)" in found.correction.source
    lines = found.correction.source.split("\n")
    for line, codes in zip(lines, found.correction.marks, strict=False):
        if any(c.startswith("K") for c in codes):
            assert line not in code.split("\n")


def test_a_paste_on_one_line_is_shown_with_its_lines() -> None:
    from didact.check.explain.render import to_markdown, to_text

    one = "def f(s, t): a = s.flatten(1) b = t.flatten(1) loss = F.mse_loss(a, b) return loss"
    found = explained(one)
    assert found.rebuilt
    block = "def f(s, t):\n    a = s.flatten(1)\n    b = t.flatten(1)\n"
    assert block in to_text(found, "en")
    assert block in to_markdown(found, "zh")
    assert not explained(LOOP).rebuilt


@pytest.mark.parametrize(
    "part", ["torch.stack([p[y], 1 - p[y]], dim=1)", "p[mask]", "torch.gather(p, 1, y)"]
)
def test_a_part_of_a_softmax_is_not_replaced_by_all_of_it(part: str) -> None:
    code = (
        "def f(s, t, y, mask):\n    p = F.softmax(s, dim=1)\n"
        f"    b = {part}\n    return F.kl_div(b.log(), t, reduction='batchmean')\n"
    )
    assert "b.log()" in explained(code).correction.source


def test_marks_name_the_findings_that_are_listed() -> None:
    found = explained(PEERS)
    marked = {c for codes in found.correction.marks for c in codes if c.startswith("K")}
    assert marked
    assert marked <= {f.code for f in found.findings}


def test_what_another_change_made_possible_is_mended() -> None:
    code = (
        "def f(s, t, k):\n    p = F.softmax(s, 1)[:, :k]\n    q = F.softmax(t, 1)[:, :k]\n"
        "    return F.kl_div(p.log(), q, reduction='batchmean')\n"
    )
    found = explained(code)
    assert "log_softmax(s[:, :k]" in found.correction.source
    assert not found.open_findings


def test_a_finding_that_another_change_took_away_is_not_left_to_the_reader() -> None:
    found = explained("loss = F.kl_div(F.softmax(student_logits, 1), teacher_logits)\n")
    assert "KD103" in {f.code for f in found.findings}
    assert "KD103" not in {f.code for f in found.open_findings}
