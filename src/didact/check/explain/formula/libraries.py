"""Calls of libraries as operations of the formula: PyTorch's as they are, others' translated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import Signature, signature

from didact.check.explain.formula.operations import OPERATIONS
from didact.check.explain.formula.tree import Call, Constant, Node

Keywords = dict[str, Node]
Translation = Callable[[list[Node], Keywords], Node | None]

ROOTS = {
    "torch": "torch", "torchvision": "torch", "tensorflow": "tensorflow", "keras": "tensorflow",
    "jax": "jax", "flax": "jax", "optax": "jax", "paddle": "paddle", "mindspore": "mindspore",
    "mxnet": "mxnet",
}  # fmt: skip
"""The framework behind the first part of a dotted name."""

FRAMEWORKS = {
    "torch": "PyTorch", "tensorflow": "TensorFlow/Keras", "jax": "JAX", "paddle": "Paddle",
    "mindspore": "MindSpore", "mxnet": "MXNet",
}  # fmt: skip
"""How the frameworks are called."""

ALIASES = {
    "F": "torch.nn.functional", "nn": "torch.nn", "torch": "torch", "tf": "tensorflow",
    "keras": "keras", "jax": "jax", "jnp": "jax.numpy", "optax": "optax", "paddle": "paddle",
    "np": "numpy", "math": "math", "mindspore": "mindspore", "ms": "mindspore", "mx": "mxnet",
    "K": "keras.backend", "TF": "torch.nn.functional", "functools": "functools",
    "partial": "functools.partial",
}  # fmt: skip
"""What undefined short names stand for."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An object that is called later: an operation with some arguments fixed."""

    make: Translation
    keywords: tuple[tuple[str, Node], ...]

    def __call__(self, args: list[Node], keywords: Keywords) -> Node | None:
        """The operation applied."""
        return self.make(args, {**dict(self.keywords), **keywords})


# PyTorch

_NAMES = {
    "multiply": "mul", "divide": "div", "true_divide": "div", "subtract": "sub", "power": "pow",
    "reduce_sum": "sum", "reduce_mean": "mean", "negative": "neg", "absolute": "abs", "as_tensor":
    "tensor", "acos": "arccos", "special_logsumexp": "logsumexp", "greater": "gt", "less": "lt",
    "linalg_norm": "norm", "frobenius_norm": "norm", "vector_norm": "norm",
    "dot": "matmul", "inner": "matmul", "sigmoid_": "sigmoid",
}  # fmt: skip

METHODS = frozenset(
    [
        "neg",
        "exp",
        "log",
        "log2",
        "log1p",
        "sqrt",
        "rsqrt",
        "abs",
        "square",
        "sigmoid",
        "logsigmoid",
        "tanh",
        "relu",
        "sign",
        "reciprocal",
        "add",
        "sub",
        "mul",
        "div",
        "pow",
        "maximum",
        "minimum",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "logical_and",
        "logical_or",
        "logical_not",
        "isinf",
        "isnan",
        "detach",
        "item",
        "size",
        "numel",
        "view",
        "reshape",
        "view_as",
        "reshape_as",
        "flatten",
        "permute",
        "transpose",
        "swapaxes",
        "t",
        "unsqueeze",
        "squeeze",
        "expand",
        "expand_as",
        "repeat",
        "chunk",
        "sum",
        "mean",
        "prod",
        "var",
        "std",
        "norm",
        "logsumexp",
        "max",
        "min",
        "amax",
        "argmax",
        "cumsum",
        "sort",
        "argsort",
        "topk",
        "softmax",
        "log_softmax",
        "gather",
        "scatter",
        "clamp",
        "clip",
        "clamp_min",
        "masked_fill",
        "masked_select",
        "matmul",
        "mm",
        "bmm",
        "triu",
        "diagonal",
        "diag",
    ]
)
"""Methods of tensors."""

SAME = frozenset(
    [
        "to",
        "cuda",
        "cpu",
        "contiguous",
        "clone",
        "requires_grad",
        "type",
        "type_as",
        "half",
        "bfloat16",
        "retain_grad",
        "pin_memory",
        "numpy",
    ]
)
"""Methods that keep the numbers."""

CASTS = {
    "float": "floating", "double": "floating", "long": "integers", "int": "integers",
    "bool": "booleans", "byte": "integers", "dim": "rank", "ndimension": "rank",
    "tolist": "detach", "numpy": "detach",
}  # fmt: skip

_LEGACY = ("size_average", "reduce", "reduction")
_LAYERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "KLDivLoss": ("kl_div", (*_LEGACY, "log_target")),
    "CrossEntropyLoss": (
        "cross_entropy",
        ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"),
    ),
    "NLLLoss": ("nll_loss", ("weight", "size_average", "ignore_index", "reduce", "reduction")),
    "BCELoss": ("binary_cross_entropy", ("weight", *_LEGACY)),
    "BCEWithLogitsLoss": ("binary_cross_entropy_with_logits", ("weight", *_LEGACY, "pos_weight")),
    "MSELoss": ("mse_loss", _LEGACY),
    "L1Loss": ("l1_loss", _LEGACY),
    "SmoothL1Loss": ("smooth_l1_loss", (*_LEGACY, "beta")),
    "HuberLoss": ("huber_loss", ("reduction", "delta")),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", ("margin", *_LEGACY)),
    "MarginRankingLoss": ("margin_ranking_loss", ("margin", *_LEGACY)),
    "Softmax": ("softmax", ("dim",)),
    "LogSoftmax": ("log_softmax", ("dim",)),
    "Sigmoid": ("sigmoid", ()),
    "LogSigmoid": ("logsigmoid", ()),
    "ReLU": ("relu", ()),
    "Tanh": ("tanh", ()),
    "CosineSimilarity": ("cosine_similarity", ("dim", "eps")),
    "PairwiseDistance": ("pairwise_distance", ("p", "eps", "keepdim")),
    "Identity": ("identity", ()),
}
_DROPPED = {"device", "dtype", "inplace", "name", "out", "stacklevel", "_stacklevel", "generator"}
_PLACES = {
    **dict.fromkeys(("input", "input1", "x1"), 0),
    **dict.fromkeys(("target", "other", "input2", "x2", "mat2"), 1),
}


def lacks_arguments(node: Node) -> bool:
    """Whether an operation was called without the parts that it works on: it is no operation."""
    return any(
        isinstance(part, Call) and not _fits(part.name, part.args, dict(part.keywords))
        for part in (node, *node.children)
    )


def call(name: str, args: list[Node], keywords: Keywords) -> Call | None:
    """An operation; what does not change numbers is left away. None where they do not fit.

    Operands that are given by name stand in their places: ``kl_div(input=q, target=p)``.
    """
    if name in {"max", "min"} and keywords.keys() & {"axis", "keepdims"}:
        name = f"a{name}"  # NumPy's gives the values alone
    kept = {("dim" if k == "axis" else k): v for k, v in keywords.items() if k not in _DROPPED}
    if name in {"sum", "mean", "prod", "max", "min", "amax", "amin", "std", "var", "softmax",
                "norm"}:  # fmt: skip
        kept = {("keepdim" if k == "keepdims" else k): v for k, v in kept.items()}
    args = list(args)
    for key in sorted(kept, key=lambda k: _PLACES.get(k, 2)):
        if _PLACES.get(key) == len(args):
            args.append(kept.pop(key))
    return Call(name, tuple(args), tuple(kept.items())) if _fits(name, args, kept) else None


def _fits(name: str, args: Sequence[Node], keywords: Keywords) -> bool:
    """Whether an operation takes these arguments; one that is not known takes any."""
    if name not in OPERATIONS:
        return True
    try:
        _signature(name).bind(*args, **keywords)
    except TypeError:
        return False
    return True


@cache
def _signature(name: str) -> Signature:
    return signature(OPERATIONS[name])


def _torch(path: str) -> Translation | None:
    last = path.rsplit(".", 1)[-1]
    name = _NAMES.get(last, last)
    if name in OPERATIONS and name not in {"put", "index", "slice", "key", "identity", "rank"}:
        return lambda args, keywords: call(name, args, keywords)
    return None


def layer(path: str, args: list[Node], keywords: Keywords) -> Layer | None:
    """The object that a constructor makes, if it is known."""
    framework = framework_of(path)
    last = path.rsplit(".", 1)[-1]
    if framework in {"torch", "paddle"} and last in _LAYERS:
        name, parameters = _LAYERS[last]
        given = dict(zip(parameters, args, strict=False)) | keywords
        make = translation(f"paddle.{name}") if framework == "paddle" else None
        return Layer(make or (lambda a, k: call(name, a, k)), tuple(given.items()))
    if framework == "tensorflow" and last in _KERAS_LOSSES:
        function = _KERAS_LOSSES[last]
        return Layer(lambda a, k: function(a, {**k, "averaged": Constant(True)}), tuple(
            keywords.items()))  # fmt: skip
    return None


def framework_of(path: str) -> str | None:
    """The framework that a dotted name belongs to."""
    return ROOTS.get(path.split(".", 1)[0])


# Others: every call is written in PyTorch's operations


def _last(name: str, *, axis: int | None = -1) -> Translation:
    """A function whose ``axis`` is the last one by default."""

    def make(args: list[Node], keywords: Keywords) -> Node | None:
        keywords = {("dim" if k in {"axis", "dim"} else k): v for k, v in keywords.items()}
        if len(args) < 2 and "dim" not in keywords and axis is not None:
            keywords["dim"] = Constant(axis)
        first = [keywords.pop(k) for k in ("logits", "x", "a", "input", "input_tensor") if
                 not args and k in keywords]  # fmt: skip
        return call(name, [*args, *first[:1]], keywords)

    return make


def _arguments(names: tuple[str, ...], args: list[Node], keywords: Keywords) -> Keywords:
    return dict(zip(names, args, strict=False)) | keywords


def _log(node: Node) -> Node:
    return Call("log", (node,))


def _rows(node: Node) -> Node:
    return Call("sum", (node,), (("dim", Constant(-1)),))


def _kl(p: Node, log_q: Node, log_p: Node | None = None) -> Node:
    difference = Call("sub", (log_p or _log(p), log_q))
    return _rows(Call("mul", (p, difference)))


def _keras_loss(of: Callable[[Node, Node, bool], Node]) -> Translation:
    def make(args: list[Node], keywords: Keywords) -> Node | None:
        given = _arguments(("y_true", "y_pred", "from_logits"), args, keywords)
        if "y_true" not in given or "y_pred" not in given:
            return None
        logits = given.get("from_logits")
        rows = of(
            given["y_true"], given["y_pred"], isinstance(logits, Constant) and bool(logits.value)
        )
        reduction = given.get("reduction")
        how = reduction.value if isinstance(reduction, Constant) else None
        if "averaged" not in given or how == "none":
            return rows
        return Call("sum" if how == "sum" else "mean", (rows,))

    return make


def _categorical(p: Node, q: Node, logits: bool) -> Node:
    log_q = Call("log_softmax", (q,), (("dim", Constant(-1)),)) if logits else _log(q)
    return Call("neg", (_rows(Call("mul", (p, log_q))),))


def _sparse(y: Node, q: Node, logits: bool) -> Node:
    log_q = Call("log_softmax", (q,), (("dim", Constant(-1)),)) if logits else _log(q)
    return Call("nll_loss", (log_q, y), (("reduction", Constant("none")),))


_KERAS_LOSSES: dict[str, Translation] = {
    "KLDivergence": _keras_loss(lambda p, q, _: _kl(p, _log(q))),
    "CategoricalCrossentropy": _keras_loss(_categorical),
    "SparseCategoricalCrossentropy": _keras_loss(_sparse),
    "MeanSquaredError": _keras_loss(
        lambda a, b, _: Call(
            "mean", (Call("square", (Call("sub", (a, b)),)),), (("dim", Constant(-1)),)
        )
    ),
}


def _pair(names: tuple[str, str], of: Callable[[Node, Node], Node]) -> Translation:
    def make(args: list[Node], keywords: Keywords) -> Node | None:
        given = _arguments(names, args, keywords)
        return of(given[names[0]], given[names[1]]) if set(names) <= set(given) else None

    return make


def _gather(args: list[Node], keywords: Keywords) -> Node | None:
    """NumPy's order: the axis stands last."""
    given = _arguments(("arr", "indices", "axis"), args, keywords)
    order = [given[k] for k in ("arr", "axis", "indices") if k in given]
    return call("gather", order, {}) if len(order) == 3 else None


def _exp(node: Node) -> Node:
    return Call("exp", (node,))


_MATHS = {
    name: _last(name, axis=None)
    for name in ("exp", "log", "sqrt", "abs", "square", "sum", "mean", "max", "min", "matmul",
                 "sigmoid", "relu", "tanh", "maximum", "minimum", "where", "transpose", "reshape",
                 "stack", "clip", "argmax", "logsumexp", "cumsum", "pow", "add", "sub", "mul",
                 "div", "norm", "one_hot", "arange", "zeros_like", "ones_like", "unsqueeze",
                 "squeeze")
}  # fmt: skip
_TENSORFLOW: dict[str, Translation] = {
    **_MATHS,
    "softmax": _last("softmax"),
    "log_softmax": _last("log_softmax"),
    "reduce_mean": _last("mean", axis=None),
    "reduce_sum": _last("sum", axis=None),
    "stop_gradient": _last("detach", axis=None),
    "subtract": _last("sub", axis=None),
    "multiply": _last("mul", axis=None),
    "kl_divergence": _KERAS_LOSSES["KLDivergence"],
    "kullback_leibler_divergence": _KERAS_LOSSES["KLDivergence"],
    "kld": _KERAS_LOSSES["KLDivergence"],
    "categorical_crossentropy": _KERAS_LOSSES["CategoricalCrossentropy"],
    "sparse_categorical_crossentropy": _KERAS_LOSSES["SparseCategoricalCrossentropy"],
    "mean_squared_error": _KERAS_LOSSES["MeanSquaredError"],
    "softmax_cross_entropy_with_logits": _pair(
        ("labels", "logits"), lambda p, z: _categorical(p, z, logits=True)
    ),
    "sparse_softmax_cross_entropy_with_logits": _pair(
        ("labels", "logits"), lambda y, z: _sparse(y, z, logits=True)
    ),
}
_JAX: dict[str, Translation] = {
    **_MATHS,
    "softmax": _last("softmax"),
    "log_softmax": _last("log_softmax"),
    "stop_gradient": _last("detach", axis=None),
    "take_along_axis": lambda args, keywords: _gather(args, keywords),
    "kl_divergence": _pair(("log_predictions", "targets"), lambda q, p: _kl(p, q)),
    "kl_divergence_with_log_targets": _pair(
        ("log_predictions", "log_targets"), lambda q, p: _kl(_exp(p), q, p)
    ),
    "softmax_cross_entropy": _pair(
        ("logits", "labels"), lambda z, p: _categorical(p, z, logits=True)
    ),
    "softmax_cross_entropy_with_integer_labels": _pair(
        ("logits", "labels"), lambda z, y: _sparse(y, z, logits=True)
    ),
}


def _renamed(name: str, other: str, target: str = "target") -> Translation:
    """A loss whose second argument has another name."""

    def make(args: list[Node], keywords: Keywords) -> Node | None:
        return call(name, args, {(target if k == other else k): v for k, v in keywords.items()})

    return make


_PADDLE: dict[str, Translation] = {
    **_MATHS,
    "softmax": _last("softmax"),
    "log_softmax": _last("log_softmax"),
    **{
        name: _renamed(name, "label")
        for name in ("kl_div", "mse_loss", "l1_loss", "binary_cross_entropy",
                     "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss")
    },
}  # fmt: skip
_OTHERS = {"tensorflow": _TENSORFLOW, "jax": _JAX, "paddle": _PADDLE}


def translation(path: str) -> Translation | None:
    """How a call of a library's function is written, or None where it is not known."""
    framework = framework_of(path)
    last = path.rsplit(".", 1)[-1]
    if framework in _OTHERS:
        return _OTHERS[framework].get(last)
    if framework == "torch" or path.startswith(("numpy.", "math.")):
        return _torch(path)
    return None
