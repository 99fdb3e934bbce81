"""Calls of library functions, by their import path."""

from __future__ import annotations

import ast

from didact.check.engine.arithmetic import power
from didact.check.engine.layers import chain_rank, model_rank
from didact.check.engine.losses import CLASSES, FUNCTIONS, arguments_of, use_loss
from didact.check.engine.machine import Criterion, LanguageModel, Layer, Machine, Path, Predictor
from didact.check.engine.names import dotted, is_language_head, is_model, source, word_set
from didact.check.engine.reductions import Call
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Grad, Space
from didact.check.engine.tables import updated_by
from didact.check.engine.tensor_ops import tensor_call
from didact.check.engine.unknown_calls import NOT_FORWARD, call_unknown, forward, pieces
from didact.check.engine.values import UNKNOWN, Record, Value, merge_terms

_LAYERS = {
    "Softmax": "softmax",
    "Softmax2d": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
}
_OPTIMIZERS = word_set(
    "SGD Adam AdamW RMSprop Adagrad Adadelta NAdam RAdam LBFGS BertAdam FusedAdam Lamb"
)
_TRANSPARENT = frozenset(
    ["DataParallel", "DistributedDataParallel", "compile", "checkpoint_wrapper", "prepare"]
)
_PREDICTORS = ("ultralytics.YOLO", "ultralytics.RTDETR", "ultralytics.YOLOWorld")
"""Calling these is a prediction: a list of results, without a graph."""
_TENSOR_ROOTS = ("torch", "numpy", "apex", "jax.numpy", "jax.nn")


def _functional(m: Machine, node: ast.Call, name: str) -> Value:
    return functional(m, node, name, *pieces(m, node))


def functional(
    m: Machine,
    node: ast.Call,
    name: str,
    plain: list[tuple[Value, ast.expr]],
    named: dict[str, tuple[Value, ast.expr]],
) -> Value:
    """The value of a function of tensors for these arguments."""
    if not plain and "input" in named:
        plain = [named["input"]]
    base, base_node = plain[0] if plain else (UNKNOWN, None)
    return tensor_call(m, Call(node, name, base, base_node, tuple(plain[1:]), named))


def call_layer(m: Machine, node: ast.Call, layer: Layer) -> Value:
    """The value of calling a layer of ``nn`` that was made elsewhere."""
    plain, _ = pieces(m, node)
    base, base_node = plain[0] if plain else (UNKNOWN, None)
    given: dict[str, tuple[Value, ast.expr]] = {}
    for keyword in layer.call.keywords:
        if keyword.arg == "dim":
            given["dim"] = (m.latest.get(id(keyword.value), UNKNOWN), keyword.value)
    if layer.call.args:
        first = layer.call.args[0]
        given["dim"] = (m.latest.get(id(first), UNKNOWN), first)
    return tensor_call(m, Call(node, layer.kind, base, base_node, (), given, layer=layer.call))


def _variable(arguments: list[Value]) -> Value:
    """``Variable(x)`` has detached its argument since the two types were merged."""
    if not arguments:
        return UNKNOWN
    base = arguments[0]
    terms = tuple(term.detached() for term in base.terms)
    return base.replace(grad=Grad.NO, sources=frozenset(), terms=terms)


def _new_tensor(node: ast.Call, name: str, arguments: list[Value]) -> Value:
    base = arguments[0] if arguments else UNKNOWN
    if base.terms and name == "tensor":
        terms = tuple(term.detached() for term in base.terms)
        return base.replace(grad=Grad.NO, terms=terms, sources=frozenset(), origin=node)
    if base.space is Space.SCALAR:
        return base.replace(grad=Grad.NO)
    space = Space.LABELS if name == "LongTensor" and base.space is Space.UNKNOWN else base.space
    return Value(
        space=space,
        grad=Grad.NO,
        role=base.role,
        role_from=base.role_from,
        rank=base.rank,
        rank_from=base.rank_from,
        exact=base.exact,
        origin=node,
        shifted=True,
    )


def _number_function(node: ast.Call, name: str, arguments: list[Value]) -> Value:
    if name == "pow" and len(arguments) == 2 and arguments[1].number is not None:
        return arguments[0].replace(scale=arguments[0].scale.power(arguments[1].number))
    if arguments and (arguments[0].is_tensor or arguments[0].terms):
        return UNKNOWN
    return Value(space=Space.SCALAR, scale=Scale.of(source(node)), origin=node)


def _sequential(node: ast.Call, arguments: list[Value]) -> Value:
    last = arguments[-1] if arguments else UNKNOWN
    kind = last.payload.kind if isinstance(last.payload, Layer) else "sequential"
    rank = chain_rank(arguments)
    return Value(
        space=Space.MODEL,
        payload=Chain(kind, node),
        items=tuple(arguments),
        rank=rank,
        exact=rank is not None,
        rank_from=Evidence.MODEL,
        origin=node,
    )


class Chain:
    """``nn.Sequential(...)``: known by its last layer."""

    def __init__(self, kind: str, call: ast.Call) -> None:
        self.kind = kind
        self.call = call


def call_path(m: Machine, node: ast.Call, path: str, arguments: list[Value]) -> Value:
    """The value of calling what an imported name stands for."""
    name = path.rsplit(".", 1)[-1]
    if path.startswith("builtins."):
        return _builtin(m, node, name, arguments)
    torch = path.startswith(_TENSOR_ROOTS) or path.split(".")[0] in ("", "functional")
    if torch and name in FUNCTIONS:
        return use_loss(m, node, FUNCTIONS[name], arguments_of(FUNCTIONS[name], node, m.latest))
    if torch and name in CLASSES:
        return Value(space=Space.CRITERION, payload=Criterion(CLASSES[name], node), origin=node)
    if torch and name in _LAYERS:
        return Value(space=Space.FUNCTION, payload=Layer(_LAYERS[name], node), origin=node)
    if name in ("from_pretrained", "from_config", "from_dict") and "." in path:
        head = LanguageModel() if is_language_head(path.rsplit(".", 2)[-2]) else None
        if path.rsplit(".", 2)[-2] == "PeftModel" and arguments:
            return arguments[0]
        return _library_model(node, path, head)
    if not torch and model_rank(path, node) is not None:
        head = LanguageModel() if is_language_head(name) else None
        return _library_model(node, path, head)
    if path in _PREDICTORS:
        return Value(space=Space.MODEL, payload=Predictor(), origin=node)
    if name == "Sequential":
        return _sequential(node, arguments)
    if "Output" in name and name[:1].isupper() and node.keywords and not node.args:
        return Value(payload=updated_by(m, node, Record()), origin=node)
    if path in ("copy.deepcopy", "copy.copy") or name in _TRANSPARENT:
        if name == "prepare" and len(arguments) > 1:
            return Value(items=tuple(arguments))
        return arguments[0].replace(payload=arguments[0].payload) if arguments else UNKNOWN
    if torch and name == "Variable":
        return _variable(arguments)
    if ("optim" in path and name in _OPTIMIZERS) or name in _OPTIMIZERS:
        return Value(space=Space.OPTIMIZER, origin=node)
    if torch and name in (
        "tensor",
        "as_tensor",
        "from_numpy",
        "FloatTensor",
        "LongTensor",
        "Tensor",
    ):
        if name == "tensor" and arguments and arguments[0].terms:
            m.record("copy", node, base=arguments[0])
        return _new_tensor(node, name, arguments)
    if path.startswith(("math", "numpy")) and name in ("log", "sqrt", "exp", "pow"):
        return _number_function(node, name, arguments)
    if torch:
        made = _functional(m, node, name)
        layer = path.startswith("torch.nn.") and name[:1].isupper()
        return made.replace(origin=node) if layer else made
    if is_model(path) and name[:1].islower() and _looks_like_forward(node, name):
        return forward(m, node, dotted(node.func))
    return call_unknown(m, node, UNKNOWN, arguments)


def _library_model(node: ast.Call, path: str, payload: LanguageModel | None) -> Value:
    rank = model_rank(path, node)
    return Value(
        space=Space.MODEL,
        payload=payload,
        rank=rank,
        exact=rank is not None,
        rank_from=Evidence.MODEL,
        origin=node,
    )


def _builtin(m: Machine, node: ast.Call, name: str, arguments: list[Value]) -> Value:
    """``pow(T, 2)``, ``float(T)``, ``abs(loss)``."""
    if name == "pow" and len(arguments) == 2:
        return power(m, node, *arguments)
    if name in ("float", "int") and len(arguments) == 1:
        value = arguments[0]
        terms = tuple(term.detached() for term in value.terms)
        return value.replace(grad=Grad.NO, terms=terms) if terms else value
    if name == "abs" and arguments:
        return _functional(m, node, name)
    if name == "getattr" and len(node.args) > 1:
        return _attribute_of(node, arguments)
    if name == "dict":
        return Value(payload=updated_by(m, node, Record()), origin=node)
    if name == "sum" and arguments:
        return _sum_of(arguments[0])
    return call_unknown(m, node, UNKNOWN, arguments)


def _attribute_of(node: ast.Call, arguments: list[Value]) -> Value:
    """``getattr(nn, "KLDivLoss")``."""
    payload, key = arguments[0].payload, arguments[1].payload
    if isinstance(payload, Path) and isinstance(key, str):
        return Value(payload=Path(f"{payload.dotted}.{key}"))
    return Value(origin=node)


def _sum_of(listed: Value) -> Value:
    """``sum(losses)``, ``sum(losses.values())``: one sum of all of them."""
    items = listed.items or ()
    terms = listed.terms
    for item in items:
        terms = merge_terms(terms, item.terms)
    roles = {item.role for item in items} or {listed.role}
    return Value(
        space=Space.LOSS if terms else Space.UNKNOWN,
        terms=terms,
        role=roles.pop() if len(roles) == 1 else listed.role,
        role_from=listed.role_from if not items else items[0].role_from,
        sources=listed.sources.union(*(item.sources for item in items)),
    )


def _looks_like_forward(node: ast.Call, name: str) -> bool:
    return name not in NOT_FORWARD and not any(
        k.arg in ("num_classes", "pretrained") for k in node.keywords
    )
