"""A tree is drawn from what was kept of it, and an image's way is the one that the tree takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from tests.report.support import full_run
from tests.test_language import english_left

from didact._core.errors import RunFolderError
from didact.data import load
from didact.nn import BinaryTree, SoftTree, build_model
from didact.report.render import to_html
from didact.train.distilling.tree import tree_of


@pytest.fixture(scope="module")
def model() -> SoftTree:
    torch.manual_seed(0)
    built = build_model("soft-tree-5", image_shape=(1, 8, 8), num_classes=10)
    assert isinstance(built, SoftTree)
    with torch.no_grad():
        built.classifier.weight.normal_()
    return built.eval()


def test_what_is_kept_is_what_the_tree_does(model: SoftTree) -> None:
    data = load("digits")
    found = tree_of(model, data)
    assert found is not None
    assert sum(part["share"] for part in found["bottom"]) == pytest.approx(1, abs=1e-2)
    assert len(found["bottom"]) == 16
    images = (data.test.images.float() / 255 - data.mean[0]) / data.std[0]
    logits = model(images).detach()
    for one in found["examples"]:
        assert one["label"] == int(data.test.labels[one["index"]])
        assert one["class"] == int(logits[one["index"]].argmax())
        assert one["probability"] == pytest.approx(
            float(logits[one["index"]].exp().max()), abs=1e-4
        )
        nodes = [turn["node"] for turn in one["turns"]]
        assert nodes == BinaryTree(range(63)).path(31 + one["leaf"])[:-1]
        assert {str(node) for node in nodes} <= set(found["nodes"])
    assert any(one["class"] != one["label"] for one in found["examples"])
    assert tree_of(torch.nn.Linear(2, 2), data) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_draws_it(tmp_path: Path, model: SoftTree, language: str) -> None:
    folder = full_run(tmp_path / "run")
    found = tree_of(model, load("digits"))
    (folder / "tree.json").write_text(json.dumps(found))
    html = to_html(folder, "zh" if language == "zh" else "en")
    picture = html[html.index('<svg class="tree"') :].split("</svg>")[0]
    assert picture.count("<image ") == 15, "a filter at each node of four levels"
    assert picture.count("<line ") == 30
    assert len(re.findall(r'class="class">\d', picture)) == 16
    assert html.count('<li><img class="whole"') == len(found["examples"])
    assert language == "en" or english_left(html) == []
    assert {"en": "How the tree decides", "zh": "这棵树如何决策"}[language] in html


def test_a_damaged_tree_is_refused(tmp_path: Path, model: SoftTree) -> None:
    folder = full_run(tmp_path / "run")
    found = tree_of(model, load("digits"))
    (folder / "tree.json").write_text(json.dumps(found | {"bottom": []}))
    with pytest.raises(RunFolderError, match="bottom has 0 entries for 4 levels"):
        to_html(folder)
    evil = '"/><script>alert(1)</script>'
    found["nodes"]["0"]["png"] = evil
    (folder / "tree.json").write_text(json.dumps(found))
    assert evil not in to_html(folder)
