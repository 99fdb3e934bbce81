"""What one file knows of another: imports, base classes, callers."""

import json
import textwrap

import pytest

from didact.check import Options, Settings, check_paths
from didact.check.engine.project import MAX_CALLERS, Project, imports_in
from didact.check.files.module import read_module

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
HELPER = """
def kd(s, t, T):
    return F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean")
"""
CALLER = """
def step(student_logits, teacher_logits, labels, T):
    hard = F.cross_entropy(student_logits, labels)
    return hard + 0.5 * {call}(student_logits, teacher_logits, T){factor}
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/").replace("/init", "/__init__") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(HEAD + textwrap.dedent(text))

    return write


def found(*paths, jobs=1):
    report = check_paths(paths or ["."], Options(Settings(), jobs=jobs))
    return {(d.path, d.code) for d in report.diagnostics}


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("from losses import kd", "kd"),
        ("from losses import kd as distil", "distil"),
        ("import losses", "losses.kd"),
        ("import losses as own", "own.kd"),
        ("from losses import *", "kd"),
        ("from .losses import kd", "kd"),
        ("from . import losses", "losses.kd"),
    ],
)
def test_a_factor_of_the_caller_counts_and_its_absence_is_found(tree, line, call):
    tree(losses=HELPER, train=line + CALLER.format(call=call, factor=""))
    assert found() == {("train.py", "KD201")}
    tree(train=line + CALLER.format(call=call, factor=" * T ** 2"))
    assert found() == set()


def test_an_import_is_followed_through_a_package(tree):
    tree(
        pkg__init="from .losses import kd\n",
        pkg__losses=HELPER,
        train="from pkg import kd\n" + CALLER.format(call="kd", factor=""),
    )
    assert found() == {("train.py", "KD201")}


def test_a_loss_class_and_its_base_are_found_in_other_files(tree):
    tree(
        base="""
class Base(nn.Module):
    def __init__(self, T=4.0):
        super().__init__()
        self.T = T

    def soften(self, x):
        return F.softmax(x / self.T, dim=1)
""",
        loss="""from base import Base


class Distill(Base):
    def forward(self, student_logits, teacher_logits):
        return F.kl_div(self.soften(student_logits), self.soften(teacher_logits))
""",
    )
    assert ("loss.py", "KD101") in found()
    assert ("loss.py", "KD101") not in found("loss.py")


def test_what_a_caller_passes_is_found_where_the_loss_stands(tree):
    tree(
        helper="""
def distance(a, b):
    loss = F.kl_div(a, b, reduction="batchmean")
    return loss
""",
        train="""from helper import distance


def step(student_logits, teacher_logits):
    return distance(F.softmax(student_logits, 1), F.softmax(teacher_logits, 1))
""",
    )
    assert found() == {("helper.py", "KD101")}
    assert found("helper.py") == set()


def test_a_teacher_that_another_file_puts_in_eval_mode_is_settled(tree):
    model = """
class Student(nn.Module):
    def __init__(self, teacher_model):
        super().__init__()
        self.teacher_model = teacher_model

    def forward(self, x):
        with torch.no_grad():
            return self.teacher_model(x).softmax(1)
"""
    tree(model=model, train="from model import Student\n\n\ndef main(t):\n    return Student(t)\n")
    assert found() == {("model.py", "KD501")}
    tree(
        train="from model import Student\n\n\ndef main(t):\n    s = Student(t)\n"
        "    s.teacher_model.eval()\n    return s.softmax\n"
    )
    assert found() == set()


def test_a_file_of_the_tree_stands_in_for_no_library(tree):
    tree(
        torch="def softmax(x, dim):\n    return x\n",
        a="def f(student_logits, t):\n    return F.kl_div(torch.softmax(student_logits, 1), t)\n",
    )
    assert ("a.py", "KD101") in found()


def test_files_that_import_each_other_end(tree):
    tree(
        a="from b import g, X\nclass Y(X):\n    loss = X\ndef f(teacher):\n    return g(teacher)\n",
        b="from a import f, Y\nclass X(Y):\n    loss = Y\ndef g(teacher):\n    return f(teacher)\n",
    )
    assert found() == set()


def test_the_number_of_processes_changes_nothing(tree):
    tree(
        losses=HELPER,
        **{
            f"m{n}": "from losses import kd" + CALLER.format(call="kd", factor="")
            for n in range(30)
        },
    )
    one, two = found(jobs=1), found(jobs=2)
    assert one == two
    assert len(one) == 30 > MAX_CALLERS


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"import a.b as c, d", {"a.b", "d"}),
        (b"from .x.y import (z,\n    w)", {".x.y", "z"}),
        (b"from . import losses", {".", "losses"}),
        (b"x = 1\nimport\nfrom\n\xff\xfe", set()),
    ],
)
def test_imports_are_found_without_parsing(source, expected):
    assert imports_in(source) >= expected
    assert bool(imports_in(source)) == bool(expected)


def test_the_nearest_file_of_a_name_is_meant(tmp_path):
    paths = ["a/losses.py", "b/losses.py", "b/train.py", "c/deep/train.py", "c/losses.py"]
    project = Project({path: frozenset() for path in paths}, read_module)
    assert project.locate(["losses"], 0, "b/train.py") == "b/losses.py"
    assert project.locate(["losses"], 0, "c/deep/train.py") == "c/losses.py"
    assert project.locate(["a", "losses"], 0, "b/train.py") == "a/losses.py"
    assert project.locate(["losses"], 2, "c/deep/train.py") == "c/losses.py"
    assert project.locate(["losses"], 0, "d/train.py") is None


NETWORK = """
import keras

class Distiller(keras.Model):
    def __init__(self, student, teacher, activation):
        super().__init__()
        self.student, self.teacher, self.activation = student, teacher, activation

    def train_step(self, data):
        x, y = data
        soft = self.distillation_loss(
            self.activation(self.teacher(x, training=False) / self.temperature),
            self.activation(self.student(x, training=True) / self.temperature),
        )
        return 0.1 * self.student_loss(y, self.student(x)) + 0.9 * soft
"""
NOTEBOOK = [
    "import keras\n",
    "import tensorflow as tf\n",
    "from network import Distiller\n",
    "net = keras.Sequential([keras.layers.Dense(10, activation='softmax')])\n",
    "model = Distiller(net, net, tf.nn.softmax)\n",
    "model.compile(student_loss=keras.losses.CategoricalCrossentropy(),\n",
    "              distillation_loss=keras.losses.KLDivergence())\n",
]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_notebook_is_a_caller_of_modules(tree, tmp_path, indent):
    cell = {"cell_type": "code", "source": NOTEBOOK}
    (tmp_path / "network.py").write_text(NETWORK)
    notebook = tmp_path / "train.ipynb"
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}}, indent=indent))
    assert ("network.py", "KD210") in found()
    notebook.unlink()
    assert ("network.py", "KD210") not in found()


def test_no_file_imports_a_notebook(tree, tmp_path):
    source = [
        "import torch.nn.functional as F\n",
        "def kd(s, t):\n",
        "    return F.softmax(s, 1)\n",
    ]
    cell = {"cell_type": "code", "source": source}
    (tmp_path / "losses.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    call = "from losses import kd\n\ndef f(s, t, y):\n    return F.cross_entropy(kd(s, t), y)\n"
    tree(train=call)
    assert found() == set()


def test_files_that_are_entered_while_others_are_read_do_no_harm(tree, tmp_path):
    (tmp_path / "nets.py").write_text("import keras\n\nclass Net(keras.Model):\n    pass\n")
    (tmp_path / "more.py").write_text("from nets import Net\n\ndef kd_net():\n    return Net(1)\n")
    (tmp_path / "train.py").write_text(
        "import tensorflow as tf\nfrom more import kd_net\nfrom nets import Net\n\n"
        "def loss(x, T):\n    student = Net(x)\n    teacher = kd_net()\n"
        "    t, s = tf.nn.softmax(teacher(x) / T), tf.nn.softmax(student(x) / T)\n"
        "    return tf.keras.losses.KLDivergence()(t, s)\n"
    )
    assert "KD003" not in {code for _, code in found()}
