"""Where the number of dimensions of a loss's input is known from, and how sure that is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from didact.check import Options, Settings, check_paths
from didact.check.engine.engine import analyse
from didact.check.engine.spaces import Evidence
from didact.check.rules import findings_of
from didact.check.rules._common import rank_of

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
LOSS = """
    return F.kl_div(F.log_softmax(s, dim=1), F.softmax(t, dim=1), reduction="batchmean")
"""
SURE, TOLD = Evidence.OPERATION, Evidence.NAME


def rank(body: str, parameters: str = "s, t, other, mask") -> tuple[int, Evidence]:
    """The rank of the last loss in a function, at most over the ways into it."""
    code = f"{HEAD}\ndef f({parameters}):\n{textwrap.indent(textwrap.dedent(body), '    ')}{LOSS}"
    uses = [use for use in analyse(code).uses if use.kind == "kl_div"]
    return rank_of(uses[-1])


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("b, c, h, w = s.shape", 4),
        ("h, w = s.size()[2:]", 4),
        ("first = t.permute(0, 2, 3, 1)", 4),
        ("first = s[:, :-1, :]", 3),
        ("first = s[..., :-1, :]", 3),
        ("n = t.size(2)", 3),
        ("first = s.transpose(1, 2)", 3),
        ("s = F.interpolate(s, size=t.shape[2:], mode='bilinear')", 4),
        ("s = F.interpolate(s, size=t.shape[2:], mode='trilinear')", 5),
        ("pooled = F.adaptive_avg_pool3d(t, 1)", 5),
        ("assert s.dim() == 4", 4),
        ("hard = F.ctc_loss(s, other, 1, 2)", 3),
        ("parts = torch.einsum('bchw,bchw->bc', s, other)", 4),
        ("hard = F.cross_entropy(s.view(-1, other.vocab_size), other)", 3),
        ("probs = F.softmax(s, dim=1)\nlabels = probs.argmax(dim=1)\nlabels[:, 1:, 1:]", 4),
        ("loss = F.mse_loss(s, other)\nb, c, h, w = other.shape", 4),
        ("s, t = s.float(), t / 2\nb, c, h, w = s.shape", 4),
    ],
)
def test_what_is_done_to_a_tensor_tells_its_rank(body, count):
    assert rank(body) == (count, SURE)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "n, c = s.shape",
        "b, c, h, w = other.shape",
        "s = s.mean(dim=(2, 3))\nt = t.mean(dim=(2, 3))",
        "s, t = s[:, -1, :], t[:, -1, :]",
        "b, n, v = s.shape\ns, t = s.view(-1, v), t.view(-1, v)",
        "b, n, v = s.shape\ns, t = s[mask], t[mask]",
        "if s.dim() == 3:\n    s, t = s.flatten(0, 1), t.flatten(0, 1)",
        "b, c, h, w = s.shape\ns = s.permute(0, 2, 3, 1).reshape(-1, c)\nt = t.reshape(-1, c)",
        "if s.dim() == 4:\n    return s.permute(0, 2, 3, 1).mean()",
    ],
)
def test_two_dimensions_are_not_taken_for_more(body):
    count, why = rank(body)
    assert count < 3 or why is TOLD


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('"""Args:\n    s: logits (B, T, V)\n"""', 3),
        ('"""s (torch.Tensor): student logits, [batch, channels, height, width]"""', 4),
        ("# s: (N, C, H, W)", 4),
        ("s = other(s)  # [B, C, *spatial]", 3),
    ],
)
def test_words_are_a_hint(body, count):
    assert rank(body) == (count, TOLD)


def test_a_hint_is_an_info_and_says_that_it_is_one():
    code = f'{HEAD}\ndef f(s, t):\n    """s, t: (B, T, V)"""{LOSS}'
    (finding,) = [f for f in findings_of(analyse(code)) if f.code == "KD303"]
    assert finding.severity == "info"
    assert "say that the input has 3" in finding.message.en


MODELS = """
class Up(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose3d(2, 2, 2)
        self.block = nn.Sequential(nn.Conv3d(2, 2, 3), nn.BatchNorm3d(2), nn.ReLU())

    def forward(self, x):
        return self.block(self.up(x))


class Volumes(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = Up()

    def forward(self, x):
        return self.up(x)


class Maps(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Conv2d(2, 3, 1)

    def forward(self, x):
        return F.interpolate(self.out(x), scale_factor=2)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 3)
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        x, _ = self.lstm(x)
        return self.head(x)


class Classes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1)
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        return self.head(self.conv(x).flatten(1))


def build(name):
    net = {made}
    return net.cuda()
"""


@pytest.mark.parametrize(
    ("made", "count"),
    [
        ("Volumes()", 5),
        ("Maps()", 4),
        ("Tokens()", 3),
        ("Classes()", 2),
        ("nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())", 4),
        ("nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 3))", 2),
        ("Maps() if name else Maps()", 4),
    ],
)
def test_a_model_brings_the_rank_of_what_it_returns(made, count):
    step = f"""
def step(x):
    net = build("a")
    s, t = net(x), net(x){LOSS}"""
    code = HEAD + MODELS.format(made=made) + step
    uses = [use for use in analyse(code).uses if use.kind == "kl_div"]
    assert rank_of(uses[-1])[0] == count
    assert uses[-1].input.exact


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("AutoModelForCausalLM", True),
        ("Wav2Vec2ForCTC", True),
        ("T5ForConditionalGeneration", True),
        ("SegformerForSemanticSegmentation", True),
        ("AutoModelForSequenceClassification", False),
        ("ViTForImageClassification", False),
    ],
)
def test_heads_of_transformers_are_known_in_the_files_around(tmp_path, monkeypatch, head, found):
    monkeypatch.chdir(tmp_path)
    files = {
        "nets.py": f"from transformers import {head}\ndef get(name):\n"
        f"    return {head}.from_pretrained(name)\n",
        "losses.py": f"{HEAD}def soft(s, t):{LOSS}",
        "train.py": f"{HEAD}from nets import get\nfrom losses import soft\n\n\n"
        "def train(student, teacher, x):\n"
        "    return soft(student(x).logits, teacher(x).logits)\n",
    }
    for name, text in files.items():
        Path(name).write_text(text)
    report = check_paths(["."], Options(Settings()))
    codes = {d.code for d in report.diagnostics if d.path == "losses.py"}
    assert ("KD303" in codes) == found


def test_what_a_constructor_is_given_elsewhere_reaches_the_loss(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runner.py").write_text(
        f"{HEAD}\n\nclass Runner:\n    def __init__(self, net, big, loss):\n"
        "        self.net, self.count = net, 0\n        self.big = big\n        self.loss = loss\n"
        "    def step(self, x):\n        s, t = self.net(x), self.big(x)\n"
        "        return self.loss(F.log_softmax(s, 1), F.softmax(t, 1))\n"
    )
    Path("main.py").write_text(
        f"{HEAD}from runner import Runner\n\n\ndef main(student, teacher):\n"
        '    Runner(student, teacher, nn.KLDivLoss(reduction="mean"))\n'
    )
    report = check_paths(["."], Options(Settings()))
    assert {d.code for d in report.diagnostics if d.path == "runner.py"} >= {"KD301"}


PADDED = """
def loss(s, t, labels):
    s, t = s[..., :-1, :], t[..., :-1, :]
    hard = F.cross_entropy(s.reshape(-1, s.size(-1)), labels.reshape(-1){ignored})
    s, t = s.reshape(-1, s.size(-1)), t.reshape(-1, t.size(-1))
    soft = F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")
    return hard + soft


def other(x):
    return {other}
"""


@pytest.mark.parametrize(
    ("other", "found"),
    [("x == -100", True), ("x.attention_mask", True), ("x['pad_token_id']", True), ("x", False)],
)
def test_padding_counts_in_what_was_a_sequence(other, found):
    code = HEAD + PADDED.format(other=other, ignored="")
    assert ("KD306" in {f.code for f in findings_of(analyse(code))}) == found


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("loss / (h * w)", False),
        ("loss / s.shape[2]", False),
        ("loss", True),
        ("loss / rounds", True),
    ],
)
def test_batchmean_divided_by_the_positions_is_right(after, found):
    code = f"""{HEAD}
def f(s, t, many):
    rounds = 0
    for _ in many:
        rounds += 1
    b, c, h, w = s.shape
    loss = F.kl_div(F.log_softmax(s, dim=1), F.softmax(t, dim=1), reduction="batchmean")
    return {after}
"""
    assert ("KD303" in {f.code for f in findings_of(analyse(code))}) == found


def test_a_loss_that_is_logged_makes_up_for_nothing():
    code = f"""{HEAD}
def f(student_logits, teacher_logits, x):
    loss = F.kl_div(F.log_softmax(student_logits, 1), F.softmax(teacher_logits, 1))
    total = loss.item() * x.size(0)
    return loss, total
"""
    assert "KD301" in {f.code for f in findings_of(analyse(code))}


@pytest.mark.parametrize(("picked", "found"), [("", True), ("[labels.reshape(-1) != -100]", False)])
def test_rows_that_are_picked_by_the_caller_are_no_padding(picked, found):
    code = f"""{HEAD}
def soft(s, t):
    return F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction="batchmean")


def loss(student_logits, teacher_logits, labels):
    s, t = student_logits[..., :-1, :], teacher_logits[..., :-1, :]
    hard = F.cross_entropy(s.reshape(-1, s.size(-1)), labels.reshape(-1), ignore_index=-100)
    s, t = s.reshape(-1, s.size(-1)), t.reshape(-1, t.size(-1))
    return hard + soft(s{picked}, t{picked})
"""
    assert ("KD306" in {f.code for f in findings_of(analyse(code))}) == found


@pytest.mark.parametrize(
    ("taken", "found"),
    [("logits[:, :0]", True), ("other if k else logits[:, :0]", False)],
)
def test_an_empty_slice_that_is_an_alternative_is_meant(taken, found):
    code = f"{HEAD}\ndef f(logits, other, k):\n    return torch.cat([logits, {taken}], dim=1)\n"
    assert ("KD404" in {f.code for f in findings_of(analyse(code))}) == found
