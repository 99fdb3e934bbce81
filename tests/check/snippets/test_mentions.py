"""Sentences that mention code are no statements; what they define is put in front."""

from __future__ import annotations

import pytest

from didact.check.snippet import recover

_LOSS = """\
def soft_term(z_s, z_t, tau):
    q = F.log_softmax(z_s / tau, dim=1)
    p = F.softmax(z_t / tau, dim=1)
    return F.kl_div(q, p, reduction="batchmean")
"""
_MENTIONS = [
    "Is the order fine? the value hovers around log(classes)",
    "Triplet version (RKD). margin=0.2. Thanks for any hint",
    "my value stays near exp(margin), is that ok?",
    "why the reshape(-1, width) in there?",
    "z_t = old(x) ,老师的输出也要切片吗?",
    "val_loss: -0.27",
    "输出结果：\nsoft: 0.0312",
]


@pytest.mark.parametrize("words", _MENTIONS)
@pytest.mark.parametrize("behind", [True, False])
def test_a_sentence_that_mentions_code_is_left_out(words: str, behind: bool) -> None:
    text = f"{_LOSS}\n{words}\n" if behind else f"{words}\n\n{_LOSS}"
    assert recover(text).source.strip() == _LOSS.strip()


def test_a_question_in_quotes_behind_the_code_is_left_out() -> None:
    found = recover(f'{_LOSS}\n"Raising tau from 1 to 20 changes nothing. What am I missing?"\n')
    assert found.source.strip() == _LOSS.strip()
    assert found.question is not None


@pytest.mark.parametrize(
    "line",
    [
        "optimizer.step()",
        "print(soft_term(a, b, 2.0))",
        "train(student, teacher)",
        "loss = soft_term(a, b, 4.0)",
        "history: list[float]",
        '"""soft targets"""',
        "run()  # starts everything",
    ],
)
def test_a_statement_alone_on_its_line_stays(line: str) -> None:
    assert line in recover(f"{_LOSS}\n{line}\n").source


_STEP = """\
for x, y in batches:
    out = net(x)
    loss = soft(F.log_softmax(out, dim=1), F.softmax(old(x), dim=1))
    loss.backward()
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("where soft = nn.KLDivLoss(reduction='batchmean')", None),
        ("其中 soft = nn.KLDivLoss(reduction='batchmean')，写得对吗？", None),
        ("其中`soft = nn.KLDivLoss(reduction='batchmean')`。", None),
        (
            "`soft = partial(F.kl_div, reduction='sum')`, is that a problem?",
            "soft = partial(F.kl_div, reduction='sum')",
        ),
    ],
)
@pytest.mark.parametrize("behind", [True, False])
def test_what_the_words_define_stands_in_front(words: str, code: str | None, behind: bool) -> None:
    found = recover(f"{_STEP}\n{words}\n" if behind else f"{words}\n\n{_STEP}")
    assert found.source.split("\n")[0] == (code or "soft = nn.KLDivLoss(reduction='batchmean')")
    assert found.source.rstrip().endswith(_STEP.rstrip())
    assert len(found.line_map) == found.source.count("\n")


def test_a_name_that_the_code_sets_itself_is_left_alone() -> None:
    code = f"soft = nn.KLDivLoss(reduction='sum')\n{_STEP}"
    found = recover(f"{code}\nshould it be `soft = nn.KLDivLoss(reduction='mean')` here?\n")
    assert found.source.strip() == code.strip()


def test_two_statements_in_a_sentence_are_both_kept() -> None:
    words = "is it `gap = F.mse_loss(a, b.detach())` then `loss = F.cross_entropy(a, y) + gap`?"
    assert recover(words).source == (
        "gap = F.mse_loss(a, b.detach())\nloss = F.cross_entropy(a, y) + gap\n"
    )


def test_a_line_that_was_glued_together_does_not_cost_the_others_their_indentation() -> None:
    text = f"完整代码如下 crit = nn.CrossEntropyLoss() 然后\n{_STEP}    opt.step()\n这样可以吗？\n"
    found = recover(text)
    assert found.source == f"crit = nn.CrossEntropyLoss()\n{_STEP}    opt.step()\n"
    assert not any("newlines were lost" in note.en for note in found.guesses)


def test_printed_rows_of_numbers_are_no_line_numbers() -> None:
    found = recover(f"{_STEP}\n0 0.91 0.0\n1 0.52 0.0\n2 0.31 0.0\n")
    assert found.source.strip() == _STEP.strip()
    assert not any("Line numbers" in note.en for note in found.guesses)


def test_prompts_alone_leave_no_output_out() -> None:
    notes = " ".join(n.en for n in recover(f"In [3]: {_LOSS}").guesses)
    assert "Prompts were removed." in notes
    assert "output" not in notes
