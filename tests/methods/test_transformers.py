"""Methods on vision transformers against their papers' formulas, in plain torch and float64."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from tests.methods.state import (
    Loop,
    batch_of,
    build,
    normalised,
    one_thread,
    scores,
    stripes,
    tasks_of,
    tiny_transformer,
)
from tests.methods.support import data, settings_for
from tests.methods.test_formulas import KNOWN, OPTIONS, SEEN, SIZES, State, asked_images, ce
from torch import Tensor, nn

from didact._core.errors import ModelError, UsageError
from didact.data import Split, generator_for, load
from didact.methods.coda_prompt import orthogonal_rows
from didact.methods.ease import completed, reweighted
from didact.methods.slca import gaussians, normalised_logits
from didact.nn import build_model, split_head, through_block, token_body, tune
from didact.train import learn

HEADS = 1


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def cosine(left: Tensor, right: Tensor) -> Tensor:
    return (left @ right) / (left.norm() * right.norm())


def block_by_hand(
    block: Any, tokens: Tensor, keys: Tensor | None = None, values: Tensor | None = None
) -> Tensor:
    """One image: ``x + proj(softmax(q k^T / sqrt(w)) v)``, one head, then the two layers."""
    hidden = block.norm1(tokens)
    query, key, value = block.attn.qkv(hidden).chunk(3, dim=1)
    if keys is not None and values is not None:
        key, value = torch.cat([keys, key]), torch.cat([values, value])
    shares = (query @ key.T / query.shape[1] ** 0.5).softmax(1)
    tokens = tokens + block.attn.proj(shares @ value)
    hidden = block.norm2(tokens)
    wide = block.mlp.fc1(hidden)
    return tokens + block.mlp.fc2(wide * 0.5 * (1 + torch.erf(wide / 2**0.5)))


def embedded(network: Any, image: Tensor) -> Tensor:
    """The class token and the patches of one image, with their positions."""
    kernel, bias = network.patch_embed.proj.weight, network.patch_embed.proj.bias
    side = kernel.shape[-1]
    patches = [
        (kernel * image[:, r : r + side, c : c + side]).sum((1, 2, 3)) + bias
        for r in range(0, image.shape[1], side)
        for c in range(0, image.shape[2], side)
    ]
    return torch.stack([network.cls_token[0, 0], *patches]) + network.pos_embed[0]


# The network and what may be put into it


def test_the_transformer_is_the_papers_formula() -> None:
    torch.manual_seed(0)
    network: Any = tiny_transformer(3)
    images = torch.randn(2, 1, 6, 6).double()
    for image, found in zip(images, network(images), strict=True):
        tokens = embedded(network, image)
        for block in network.blocks:
            tokens = block_by_hand(block, tokens)
        expected = network.classifier(network.norm(tokens)[0])
        torch.testing.assert_close(found, expected)


def test_a_prefix_stands_beside_keys_and_values() -> None:
    torch.manual_seed(0)
    block: Any = tiny_transformer(3).blocks[0]  # type: ignore[index, union-attr]
    tokens, keys, values = (torch.randn(2, n, 16).double() for n in (10, 3, 3))
    found = through_block(block, tokens, keys, values)
    for n in range(2):
        expected = block_by_hand(block, tokens[n], keys[n], values[n])
        torch.testing.assert_close(found[n], expected)
    torch.testing.assert_close(through_block(block, tokens), block(tokens))


@pytest.mark.parametrize(
    ("name", "heads"), [("vit-2-32-1", 2), ("vit-2-256-1", 4), ("vit-4-768-12", 12)]
)
def test_how_many_heads_there_are(name: str, heads: int) -> None:
    with torch.device("meta"):
        network: Any = build_model(name, image_shape=(3, 8, 8), num_classes=2)
    assert network.blocks[0].attn.num_heads == heads


def test_vit_b_16_has_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        network = build_model("vit-16-768-12", image_shape=(3, 224, 224), num_classes=1000)
    assert sum(p.numel() for p in network.parameters()) == 86_567_656


@pytest.mark.parametrize(
    ("name", "message"), [("vit-5-32-1", "whole number of patches"), ("vit-2-30-1", "of 16")]
)
def test_what_cannot_be_built_is_refused(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build_model(name, image_shape=(1, 6, 6), num_classes=2)


class TimmAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.num_heads, self.head_dim, self.scale = heads, width // heads, (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(width // heads)
        self.k_norm = nn.Identity()
        self.attn_drop, self.proj_drop = nn.Dropout(0.0), nn.Dropout(0.0)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, width = tokens.shape
        split = self.qkv(tokens).reshape(batch, count, 3, self.num_heads, self.head_dim)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        shares = (self.q_norm(q) * self.scale @ self.k_norm(k).transpose(-2, -1)).softmax(-1)
        found: Tensor = self.proj((shares @ v).transpose(1, 2).reshape(batch, count, width))
        return found


class TimmBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = TimmAttention(width, 2)
        self.ls1, self.ls2 = nn.Identity(), nn.Identity()
        self.drop_path1, self.drop_path2 = nn.Identity(), nn.Identity()
        self.mlp = nn.Sequential(nn.Linear(width, 20), nn.GELU(), nn.Linear(20, width))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.drop_path1(self.ls1(self.attn(self.norm1(tokens))))
        found: Tensor = tokens + self.drop_path2(self.ls2(self.mlp(self.norm2(tokens))))
        return found


class TimmPatches(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj, self.norm = nn.Conv2d(1, width, 2, stride=2), nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.norm(self.proj(images).flatten(2).transpose(1, 2))
        return found


class StandIn(nn.Module):
    """Built and called as timm's VisionTransformer, with a register token."""

    def __init__(self, classes: int, width: int = 8, registers: int = 1) -> None:
        super().__init__()
        self.patch_embed = TimmPatches(width)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.reg_token = nn.Parameter(torch.randn(1, registers, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 10, width))
        self.pos_drop, self.patch_drop, self.norm_pre = (nn.Identity() for _ in range(3))
        self.blocks = nn.Sequential(TimmBlock(width), TimmBlock(width))
        self.norm, self.fc_norm, self.head_drop = nn.LayerNorm(width), nn.Identity(), nn.Identity()
        self.head = nn.Linear(width, classes)

    def _pos_embed(self, patches: Tensor) -> Tensor:
        first = self.cls_token.expand(len(patches), -1, -1)
        placed = torch.cat([first, patches], dim=1) + self.pos_embed
        more = self.reg_token.expand(len(patches), -1, -1)
        found: Tensor = self.pos_drop(torch.cat([placed[:, :1], more, placed[:, 1:]], dim=1))
        return found

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.norm_pre(self.patch_drop(self._pos_embed(self.patch_embed(images))))
        pooled = self.norm(self.blocks(tokens))[:, 0]
        found: Tensor = self.head(self.head_drop(self.fc_norm(pooled)))
        return found


def stand_in(data: Any, classes: int) -> nn.Module:
    return StandIn(classes)


def test_timms_parts_are_found_by_their_names() -> None:
    torch.manual_seed(0)
    network = split_head(StandIn(3), (1, 6, 6))
    images = torch.randn(2, 1, 6, 6)
    body = token_body(network)
    tokens = body.embed(images)
    for block in body.blocks:
        plain, prefixed = block(tokens), through_block(block, tokens, tokens[:, :0], tokens[:, :0])
        torch.testing.assert_close(prefixed, plain)
        tokens = plain
    expected = network.features(images)  # type: ignore[operator]
    torch.testing.assert_close(body.pooled(body.after(tokens)[:, :1]), expected)
    assert (body.width, len(body.blocks)) == (8, 2)


@pytest.mark.parametrize(
    "name", ["aper", "l2p", "coda-prompt", "dualprompt", "slca", "ease", "ranpac"]
)
def test_each_method_learns_with_timms_structure(name: str, tmp_path: Path) -> None:
    given = settings_for(name, epochs=1)
    if name == "ranpac":
        given["method_options"] |= {"ranpac.tune": "vpt"}
    del given["model"]
    result = learn(output=tmp_path / "run", model=stand_in, **given)
    assert result.summary["complete"]
    learner = result.learner(name)
    with torch.no_grad():
        assert learner.predict((data().test.images - 0.6) / 0.4).shape == (24, 6)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["aper", "l2p", "coda-prompt", "dualprompt", "ease"])
def test_another_network_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no vision transformer"):
        learn(output=tmp_path / "run", **settings_for(name, model="cnn-2"))


@pytest.mark.parametrize("tuner", ["adapter", "ssf", "vpt"])
@pytest.mark.parametrize("network", [tiny_transformer, lambda n: StandIn(n).double()])
def test_a_tuner_trains_what_it_has_put_in(network: Any, tuner: Any) -> None:
    torch.manual_seed(0)
    model = split_head(network(3).float(), (1, 6, 6)).double().eval()
    images = torch.randn(4, 1, 6, 6).double()
    before, names = model(images), {name for name, _ in model.named_parameters()}
    old = {id(p) for p in model.parameters()}
    added = tune(model, tuner, inner=5, prompts=3)
    assert not {id(p) for p in added} & old
    assert {id(p) for p in model.parameters()} == old | {id(p) for p in added}
    assert len(names) == len(old)
    now = model(images)
    if tuner == "adapter":
        torch.testing.assert_close(now, before)
    assert 0 < float((now - before).detach().abs().max()) < 1 or tuner == "adapter"
    gradients = torch.autograd.grad(now.square().sum(), added, allow_unused=True)
    reached = [g is not None and bool(g.abs().max() > 0) for g in gradients]
    assert sum(reached) >= len(added) / 4
    again = copy.deepcopy(model)
    torch.testing.assert_close(again(images), now)


def test_an_adapter_stands_beside_the_mlp() -> None:
    torch.manual_seed(0)
    network: Any = tiny_transformer(3)
    plain = copy.deepcopy(network.blocks[0])
    tune(network, "adapter", inner=5)
    adapter = network.eval().blocks[0].adapters[0]
    with torch.no_grad():
        adapter.up.weight.normal_()
        adapter.up.bias.normal_()
    tokens = torch.randn(2, 10, 16).double()
    middle = tokens + plain.attn(plain.norm1(tokens))
    inner = (middle @ adapter.down.weight.T + adapter.down.bias).clamp(min=0)
    change = 0.1 * (inner @ adapter.up.weight.T + adapter.up.bias)
    expected = middle + plain.mlp(plain.norm2(middle)) + change
    torch.testing.assert_close(network.blocks[0](tokens), expected)


def test_scales_and_shifts_come_after_each_layer() -> None:
    torch.manual_seed(0)
    network: Any = tiny_transformer(3)
    added = tune(network, "ssf")
    # the patches, six layers of each of two blocks, the last norm; a scale and a shift of each
    assert len(added) == 2 * (1 + 2 * 6 + 1)
    layer, change = network.blocks[1].mlp.fc1
    hidden = torch.randn(2, 10, 16).double()
    expected = change.scale * layer(hidden) + change.shift
    torch.testing.assert_close(network.blocks[1].mlp.fc1(hidden), expected)
    images = torch.randn(2, 1, 6, 6).double()
    patches, change = network.patch_embed.proj
    expected = patches(images) * change.scale[:, None, None] + change.shift[:, None, None]
    torch.testing.assert_close(network.patch_embed.proj(images), expected)


def test_prompts_of_vpt_are_seen_and_dropped() -> None:
    torch.manual_seed(0)
    network: Any = tiny_transformer(3)
    plain = copy.deepcopy(network.blocks[1])
    tune(network, "vpt", prompts=3)
    tokens = torch.randn(1, 10, 16).double()
    seen = torch.cat([tokens[0], network.blocks[1].prompts[0]])
    expected = block_by_hand(plain, seen)[:10]
    torch.testing.assert_close(network.blocks[1](tokens)[0], expected)


def test_an_unknown_tuner_is_refused() -> None:
    with pytest.raises(UsageError, match="expected one of adapter, ssf, vpt"):
        tune(tiny_transformer(3), "lora")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "model", "noted"),
    [("aper", "vit-2-16-1", True), ("l2p", "vit-2-16-1", False), ("slca", stand_in, False)],
)
def test_random_weights_where_trained_ones_are_expected_are_noted(
    method: str, model: Any, noted: bool, tmp_path: Path
) -> None:
    said = Console(file=StringIO(), width=500)
    given = settings_for(method, epochs=1, step=6) | {"model": model}
    learn(output=tmp_path / "run", console=said, **given)
    found = said.file.getvalue()  # type: ignore[attr-defined]
    assert (f"{method} expects a network that was trained before" in found) == noted


# First-session adaptation


@pytest.mark.parametrize("tuner", ["adapter", "ssf", "vpt"])
@pytest.mark.parametrize("name", ["aper", "ranpac"])
def test_the_first_session_moves_the_tuner_and_the_classifier_alone(name: str, tuner: str) -> None:
    given = {**OPTIONS[name], "train_first": True, "tune": tuner}
    method: Any = build(name, given, build_network=tiny_transformer)
    loop = Loop(method)
    tasks = tasks_of(stripes(SIZES, 6))
    (stage,) = loop.begin(tasks[0])
    before = copy.deepcopy(method.network.state_dict())
    loop.train(stage)
    moved = {n for n, v in method.network.state_dict().items() if not torch.equal(v, before[n])}
    new = {"adapter": ".adapters.", "ssf": ".1.", "vpt": ".prompts"}[tuner]
    assert moved
    assert all(new in name or name.startswith("classifier.") for name in moved)
    assert any(new in name for name in moved)
    loop.end(tasks[0])
    assert len(loop.begin(tasks[1])) == 0


@pytest.mark.parametrize("train_first", [True, False])
def test_aper(train_first: bool) -> None:
    given = {"tune": "adapter", "train_first": train_first}
    method: Any = build("aper", given, build_network=tiny_transformer)
    loop = Loop(method)
    splits = stripes(SIZES, 6)
    torch.manual_seed(100)
    original: Any = tiny_transformer(3)
    for task in tasks_of(splits):
        loop.learn(task)
    # the network that grow has built, with the seed that the loop gives it
    torch.testing.assert_close(method.original.state_dict(), original.state_dict(), rtol=0, atol=0)
    network = copy.deepcopy(method.network).eval()
    with torch.no_grad():
        parts = [
            torch.cat([original.features(i), network.features(i)], dim=1)
            for i in (*(normalised(split.images) for split in splits), asked_images())
        ]
    adapted = not torch.equal(parts[-1][:, :16], parts[-1][:, 16:])
    assert adapted == train_first
    f, y, asked = torch.cat(parts[:-1]), torch.cat([s.labels for s in splits]), parts[-1]
    means = torch.stack([f[y == c].mean(0) for c in range(SEEN)])
    expected = F.cosine_similarity(asked[:, None], means[None], dim=2)
    torch.testing.assert_close(scores(method, asked_images()), expected, rtol=1e-4, atol=1e-5)


# Prompts


def at_third_task(name: str, **changes: Any) -> State:
    return State(name, **changes)


def classification(state: State, features: Tensor) -> Tensor:
    logits = state.method.network.classifier(features)
    return ce(logits[:, KNOWN:], state.labels - KNOWN)


def test_l2p() -> None:
    state = at_third_task("l2p")
    method, network = state.method, state.method.network
    features, pulls = [], []
    for image in state.images.double():
        query = network.features(image[None])[0].detach()
        distances = torch.stack([1 - cosine(query, key) for key in method.keys])
        nearest = distances.argsort()[:3]
        pulls.append(distances[nearest].sum())
        tokens = embedded(network, image)
        tokens = torch.cat([tokens[:1], *(method.pool[k] for k in nearest), tokens[1:]])
        for block in network.blocks:
            tokens = block_by_hand(block, tokens)
        features.append(network.norm(tokens)[1:7].mean(0))
    state.terms_are(classification(state, torch.stack(features)), 0.4 * torch.stack(pulls).mean())


def prefixed(network: Any, image: Tensor, prefixes: list[tuple[Tensor, Tensor]]) -> Tensor:
    tokens = embedded(network, image)
    for number, block in enumerate(network.blocks):
        pair = prefixes[number] if number < len(prefixes) else (None, None)
        tokens = block_by_hand(block, tokens, *pair)
    found: Tensor = network.norm(tokens)[0]
    return found


def test_dualprompt() -> None:
    state = at_third_task("dualprompt")
    method, network = state.method, state.method.network
    assert len(method.keys) == len(method.experts) == 3
    with torch.no_grad():  # another task's key is the nearest; in training that does not count
        method.keys[0].copy_(network.features(state.images.double()).mean(0))
    features, distances = [], []
    for image in state.images.double():
        query = network.features(image[None])[0].detach()
        distances.append(1 - cosine(query, method.keys[2]))
        general = (method.general[0, 0], method.general[0, 1])
        expert = (method.experts[2][0, 0], method.experts[2][0, 1])
        features.append(prefixed(network, image, [general, expert]))
    state.terms_are(
        classification(state, torch.stack(features)), 0.4 * torch.stack(distances).mean()
    )


def test_dualprompt_asks_the_task_with_the_nearest_key() -> None:
    method: Any = at_third_task("dualprompt").method.eval()
    network, images, expected, nearest = method.network, asked_images().double(), [], []
    with torch.no_grad():
        for n, key in enumerate(method.keys):
            key.copy_(network.features(images[2 * n : 2 * n + 1])[0])
        for image in images:
            query = network.features(image[None])[0]
            nearest.append(max(range(3), key=lambda t: float(cosine(query, method.keys[t]))))
            general = (method.general[0, 0], method.general[0, 1])
            chosen = method.experts[nearest[-1]][0]
            feature = prefixed(network, image, [general, (chosen[0], chosen[1])])
            expected.append(network.classifier(feature))
        torch.testing.assert_close(method.predict(images), torch.stack(expected))
    assert len(set(nearest)) > 1


def test_a_tasks_prompt_begins_as_the_one_before() -> None:
    method: Any = build("dualprompt", OPTIONS["dualprompt"])
    loop = Loop(method)
    tasks = tasks_of(stripes(SIZES, 6))
    loop.learn(tasks[0])
    loop.begin(tasks[1])
    assert torch.equal(method.experts[1], method.experts[0])
    assert torch.equal(method.keys[1], method.keys[0])


def test_coda_prompt() -> None:
    state = at_third_task("coda-prompt")
    method, network = state.method, state.method.network
    parts = {
        name: torch.cat([getattr(pool[0], name) for pool in method.pools])
        for name in ("prompts", "keys", "attention")
    }
    assert parts["prompts"].shape == (9, 4, 16)
    features = []
    for image in state.images.double():
        query = network.features(image[None])[0].detach()
        prompt = sum(
            cosine(query * parts["attention"][m], parts["keys"][m]) * parts["prompts"][m]
            for m in range(9)
        )
        features.append(prefixed(network, image, [(prompt[:2], prompt[2:])]))  # type: ignore[index]
    penalty = torch.stack(
        [
            (rows @ rows.T - torch.eye(9).double()).square().mean()
            for rows in (part.flatten(1) for part in parts.values())
        ]
    ).sum()
    state.terms_are(classification(state, torch.stack(features)), 0.3 * penalty)


def test_new_components_are_orthogonal_to_all_before() -> None:
    method: Any = build("coda-prompt", OPTIONS["coda-prompt"])
    loop = Loop(method)
    tasks = tasks_of(stripes(SIZES, 6))
    loop.learn(tasks[0])
    old = copy.deepcopy(method.pools[0].state_dict())
    loop.begin(tasks[1])
    for name in ("prompts", "keys", "attention"):
        before, new = (getattr(pool[0], name).detach().flatten(1) for pool in method.pools)
        torch.testing.assert_close(new @ new.T, torch.eye(3).double())
        torch.testing.assert_close(new @ before.T, torch.zeros(3, 3).double())
    loop.train(method.stages(tasks[1])[0])
    torch.testing.assert_close(method.pools[0].state_dict(), old, rtol=0, atol=0)


def test_where_there_is_no_room_for_orthogonal_rows_they_are_random() -> None:
    old = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    found = orthogonal_rows(3, old, generator_for(0, "rows"))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(found[0] @ old.T, torch.zeros(3), atol=1e-5, rtol=0)
    assert float((found[1] @ old.T).abs().max()) > 1e-3


@pytest.mark.parametrize("name", ["l2p", "coda-prompt", "dualprompt"])
def test_the_network_and_old_classes_stand_still_while_prompts_are_learned(name: str) -> None:
    state = at_third_task(name, train_first=True)
    network, old = state.method.network, state.old
    assert len(state.stages) == 1
    for key, value in old.state_dict().items():
        now = network.state_dict()[key]
        assert torch.equal(now[:KNOWN] if key.startswith("classifier") else now, value), key
    assert not torch.equal(network.classifier.weight[KNOWN:], torch.zeros(4, 16).double())


@pytest.mark.parametrize("name", ["l2p", "coda-prompt", "dualprompt"])
def test_the_first_task_trains_the_network_where_asked_for(name: str) -> None:
    method: Any = build(name, {**OPTIONS[name], "train_first": True})
    loop = Loop(method)
    task = tasks_of(stripes(SIZES, 6))[0]
    first, second = loop.begin(task)
    before = method.network.blocks[0].attn.qkv.weight.detach().clone()
    loop.train(first, steps=2)
    batch = batch_of(task.train, torch.arange(9))
    (term,) = method.losses(batch).values()
    torch.testing.assert_close(term, ce(method.network(batch.images), batch.labels))
    trained = method.network.blocks[0].attn.qkv.weight.detach().clone()
    assert not torch.equal(trained, before)
    loop.train(second, steps=2)
    assert torch.equal(method.network.blocks[0].attn.qkv.weight, trained)
    assert second.weight_decay == 0.0


# SLCA


def test_slca() -> None:
    state = State("slca")
    method = state.method
    state.terms_are(ce(state.logits[:, KNOWN:], state.labels - KNOWN))
    head, rest = method.stage.parameters()
    assert (head["factor"], rest["factor"]) == (1.0, 0.5)
    assert {id(p) for group in (head, rest) for p in group["params"]} == {
        id(p) for p in method.network.parameters()
    }


def test_slca_aligns_its_classifier_on_drawn_features() -> None:
    state = State("slca", 1)
    method, network = state.method, state.method.network
    assert (method.stage.name, method.stage.epochs) == ("alignment", 1)
    f, y = method.drawn(len(state.labels))
    z = network.classifier(f)
    lengths = torch.stack([part.norm(dim=1) for part in z.split([3, 2, 4], dim=1)]).mean(0)
    state.terms_are(ce(z / lengths[:, None] / 0.3, y))
    body = network.stem[0].weight.detach().clone()
    state.loop.train(state.stages[1], steps=1)
    assert torch.equal(network.stem[0].weight, body)


def test_slca_draws_as_the_classes_are_spread() -> None:
    method: Any = State("slca", 1).method
    f, y = method.drawn(20000)
    ages = torch.tensor([1.0] * 3 + [2.0] * 2 + [3.0] * 4)
    means, factors = method.kept["means"], method.kept["factors"]
    for column in range(SEEN):
        own = f[y == column].float()
        assert len(own) == pytest.approx(20000 / SEEN, rel=0.1)
        expected = means[column] * (0.9 + 0.1 * ages[column] / 3)
        spread = (factors[column] @ factors[column].T).diagonal().sqrt()
        assert float(((own.mean(0) - expected).abs() / spread).max()) < 0.12
        assert own.std(0).tolist() == pytest.approx(spread.tolist(), rel=0.1)


def test_gaussians_are_means_and_covariances() -> None:
    features = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.tensor([0] * 20 + [2] * 9 + [3])
    means, factors = gaussians(features, labels, 4)
    for column in (0, 2):
        own = features[labels == column]
        torch.testing.assert_close(means[column], own.mean(0))
        expected = torch.cov(own.T) + 1e-4 * torch.eye(4).double()
        torch.testing.assert_close(factors[column] @ factors[column].T, expected)
    assert torch.equal(means[1], torch.zeros(4).double())
    torch.testing.assert_close(factors[3], 1e-2 * torch.eye(4).double())


def test_logits_are_divided_by_the_mean_length_of_the_tasks() -> None:
    found = normalised_logits(torch.tensor([[3.0, 4.0, 5.0, 12.0]]), [2, 2])
    torch.testing.assert_close(found, torch.tensor([[3.0, 4.0, 5.0, 12.0]]) / 9)


# EASE


def by_hand(measured: Tensor, owners: list[int]) -> Tensor:
    """The mean in a later subspace: of the classes since then, by their likeness in the old one."""
    found = measured.clone()
    for c, own in enumerate(owners):
        for later in range(own + 1, measured.shape[1]):
            since = [d for d, other in enumerate(owners) if other >= later]
            likeness = torch.stack([cosine(measured[c, own], measured[d, own]) for d in since])
            weights = likeness.exp() / likeness.exp().sum()
            found[c, later] = sum(
                w * measured[d, later] for w, d in zip(weights, since, strict=True)
            )
    return found


def test_means_in_later_subspaces_are_put_together() -> None:
    measured = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    owners = [0, 0, 1, 1, 2, 2]
    found = completed(measured, torch.tensor(owners))
    torch.testing.assert_close(found, by_hand(measured, owners))
    for c, own in enumerate(owners):
        assert torch.equal(found[c, : own + 1], measured[c, : own + 1])


def test_a_class_s_own_subspace_counts_most() -> None:
    features, prototypes = (torch.randn(n, 3, 4).double() for n in (5, 4))
    found = reweighted(features, prototypes, torch.tensor([0, 1, 2, 2]), 0.3)
    for b in range(5):
        for c, own in enumerate([0, 1, 2, 2]):
            parts = [cosine(features[b, j], prototypes[c, j]) for j in range(3)]
            expected = sum((1 if j == own else 0.15) * part for j, part in enumerate(parts))
            torch.testing.assert_close(found[b, c], torch.as_tensor(expected))


def test_ease() -> None:
    method: Any = build("ease", OPTIONS["ease"])
    loop = Loop(method)
    splits = stripes(SIZES, 6)
    tasks = tasks_of(splits)
    for task in tasks:
        loop.learn(task)
    network: Any = copy.deepcopy(method.network).eval()
    owners = [0] * 3 + [1] * 2 + [2] * 4

    def under(subspace: int, images: Tensor) -> Tensor:
        for block in network.blocks:
            block.active = subspace
        with torch.no_grad():
            return network.features(images)

    f = torch.stack(
        [under(j, normalised(torch.cat([s.images for s in splits]))) for j in range(3)], dim=1
    )
    assert not torch.isclose(f[:, 0], f[:, 1]).all()
    y = torch.cat([s.labels for s in splits])
    measured = torch.stack([f[y == c].mean(0) for c in range(SEEN)])
    prototypes = by_hand(measured, owners)
    asked = torch.stack([under(j, asked_images()) for j in range(3)], dim=1)
    expected = reweighted(asked, prototypes, torch.tensor(owners), 0.3)
    torch.testing.assert_close(scores(method, asked_images()), expected, rtol=1e-4, atol=1e-5)


def test_ease_trains_its_newest_adapters() -> None:
    state = State("ease")
    method, network = state.method, state.method.network.eval()
    for block in network.blocks:
        assert (len(block.adapters), block.active) == (3, 2)
    f = network.features(state.images)
    directions = F.normalize(method.head.weight[:, 0], dim=1)
    logits = method.head.scale * F.normalize(f, dim=1) @ directions.T
    state.terms_are(ce(logits, state.labels - KNOWN))
    for name, value in state.old.state_dict().items():
        if not name.startswith("classifier"):
            assert torch.equal(network.state_dict()[name], value), name
    newest = network.blocks[0].adapters[2].up.weight
    assert newest.abs().max() > 0


# A small trained one


@pytest.fixture(scope="module")
def digits() -> tuple[nn.Module, list[Split], Split]:
    """A transformer that knows the digits 0 to 4; 5 to 8 in two tasks, and other images of them."""
    given = load("digits")
    train, test = (
        Split(split.take(torch.arange(len(split))).float() / 255, split.labels)
        for split in (given.train, given.test)
    )
    torch.manual_seed(0)
    network: Any = tiny_transformer(5, side=8).float()
    known = train.subset((train.labels < 5).nonzero().flatten())
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(8):
        for places in torch.randperm(len(known)).split(32):
            optimizer.zero_grad()
            batch = batch_of(known, places)
            F.cross_entropy(network(batch.images), batch.labels).backward()
            optimizer.step()
    parts = []
    for low in (5, 7):
        places = ((train.labels == low) | (train.labels == low + 1)).nonzero().flatten()[:100]
        chosen = train.subset(places)
        parts.append(Split(chosen.images, chosen.labels - 5))
    asked = test.subset(((test.labels >= 5) & (test.labels < 9)).nonzero().flatten())
    return network.double(), parts, Split(asked.images, asked.labels - 5)


TRAINED_OPTIONS: dict[str, dict[str, Any]] = {
    "aper": {},
    "coda-prompt": {"train_first": False},
    "dualprompt": {"train_first": False, "general": 1},
    "ease": {},
    "l2p": {"train_first": False},
    "slca": {"slow": 0.3},
}


@pytest.mark.parametrize("name", TRAINED_OPTIONS)
def test_new_digits_are_learned_from_a_small_trained_transformer(
    name: str, digits: tuple[Any, list[Split], Split]
) -> None:
    network, splits, asked = digits

    def trained(classes: int) -> nn.Module:
        found = copy.deepcopy(network)
        found.classifier = nn.Linear(16, classes).double()
        return found

    method: Any = build(name, TRAINED_OPTIONS[name], build_network=trained, epochs=5)
    loop = Loop(method, rate=0.1)
    for task in tasks_of(splits):
        loop.learn(task)
    found = scores(method, normalised(asked.images))
    own = torch.arange(4) // 2 != (asked.labels // 2)[:, None]
    within = found.masked_fill(own, -torch.inf).argmax(1)
    right, told = (
        float((answers == asked.labels).double().mean()) for answers in (found.argmax(1), within)
    )
    print(name, right, told)
    assert right > 0.35
    assert told > 0.6
