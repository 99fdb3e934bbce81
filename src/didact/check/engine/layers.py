"""How many dimensions the outputs of known layers and models have."""

from __future__ import annotations

import ast
import re

from didact.check.engine.names import dotted, head_rank, word_set
from didact.check.engine.spaces import Evidence
from didact.check.engine.values import UNKNOWN, Value

_SPATIAL = re.compile(
    r"(?:Lazy)?(?:Conv|ConvTranspose|(?:Adaptive)?(?:Avg|Max|LP)Pool|InstanceNorm)([123])d"
)
_NORMS = re.compile(r"(?:Lazy)?(?:Sync)?BatchNorm([23])d|Dropout([23])d")
_KEEPING = word_set(
    "Linear LazyLinear LayerNorm RMSNorm GroupNorm BatchNorm1d SyncBatchNorm Dropout Identity "
    "ReLU LeakyReLU PReLU GELU ELU SELU SiLU Tanh Sigmoid Hardswish Hardtanh ReLU6 Softplus Mish "
    "Upsample UpsamplingBilinear2d UpsamplingNearest2d LogSigmoid Softmax LogSoftmax AlphaDropout"
)
_SEQUENCES = word_set(
    "TransformerEncoder TransformerDecoder TransformerEncoderLayer TransformerDecoderLayer "
    "Transformer"
)
_VOLUMES = word_set(
    "UNet DynUNet SegResNet UNETR SwinUNETR VNet AttentionUnet BasicUNet BasicUNetPlusPlus "
    "FlexibleUNet SegResNetVAE BasicUnet"
)
"""Networks of ``monai`` that label each place: their rank is ``spatial_dims + 2``."""


def model_rank(path: str, call: ast.Call) -> int | None:
    """The rank of what a model of a library returns, which an import path and a call make."""
    parts = path.split(".")
    name = parts[-1]
    if parts[0] == "transformers" or name in ("from_pretrained", "from_config"):
        return head_rank(parts[-2] if name.startswith("from_") and len(parts) > 1 else name)
    if parts[0] == "segmentation_models_pytorch" and name[:1].isupper():
        return 4
    if parts[:3] == ["torchvision", "models", "segmentation"] and len(parts) > 3:
        return 4
    if parts[:2] == ["torchvision", "models"] and len(parts) == 3 and name[:1].islower():
        return 2
    if parts[0] == "monai" and name in _VOLUMES:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        dims = given.get("spatial_dims", call.args[0] if call.args else None)
        count = getattr(dims, "value", 3 if dims is None and name == "VNet" else None)
        return count + 2 if isinstance(count, int) else None
    return None


def after_layer(layer: ast.expr | None, given: Value, result: Value) -> Value:
    """What a layer returns, with the rank that the layer gives it."""
    if not isinstance(layer, ast.Call) or result.rank is not None:
        return result
    name = dotted(layer.func).rsplit(".", 1)[-1]
    if name in ("LSTM", "GRU", "RNN"):
        sequence = Value(rank=3, exact=True, sources=result.sources, grad=result.grad)
        return result.replace(items=(sequence, UNKNOWN))
    rank, exact = _rank_after(name, given)
    if rank is None:
        return result
    return result.replace(rank=rank, exact=exact, rank_from=given.rank_from)


def _rank_after(layer: str, given: Value) -> tuple[int | None, bool]:
    fixed = fixed_rank(layer)
    if fixed is not None:
        return fixed, True
    if layer in _KEEPING:
        return given.rank, given.exact
    if layer == "Embedding" and given.rank:
        return given.rank + 1, given.exact
    return None, False


def fixed_rank(layer: str) -> int | None:
    """The rank of what a layer of ``torch.nn`` returns, whatever it is given."""
    spatial = _SPATIAL.fullmatch(layer) or _NORMS.fullmatch(layer)
    if spatial is not None:
        return int(next(group for group in spatial.groups() if group)) + 2
    if layer in ("PixelShuffle", "Softmax2d"):
        return 4
    if layer == "Flatten":
        return 2
    return 3 if layer in _SEQUENCES else None


def chain_rank(layers: list[Value]) -> int | None:
    """The rank of what ``nn.Sequential`` of these layers returns."""
    for layer in reversed(layers):
        if layer.rank is not None:
            return layer.rank
        if not isinstance(layer.origin, ast.Call):
            return None
        name = dotted(layer.origin.func).rsplit(".", 1)[-1]
        fixed = fixed_rank(name)
        if fixed is not None:
            return fixed
        if name not in _KEEPING:
            return None
    return None


def after_model(model: Value, result: Value) -> Value:
    """What a model returns, with the rank that is known of it."""
    if model.rank is None or result.rank is not None or not (result.sources or result.is_tensor):
        return result
    return result.replace(rank=model.rank, exact=model.exact, rank_from=Evidence.MODEL)
