"""What is wrong with a formula as a whole, beyond what the rules of ``check`` look for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.trace import Tracer
from didact.check.explain.formula.tree import Call, Choice, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.slips import raw_targets, slips_in_formulas
from didact.check.explain.structure import structure_findings
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

KINDS: dict[str, tuple[str, ...]] = {
    "KE105": ("NO-T2",),
    "KE106": ("SIGN-MISSING",),
    "KE107": ("ITEM-IN-GRAPH",),
    "KE108": ("TARGET-IN-GRAPH",),
    "KE109": ("DEAD-NORM",),
    "KE110": ("SOFTMAX-OF-SOFTMAX",),
    "KE111": ("HEAD-MISMATCH",),
    "KE112": ("PAD-UNMASKED",),
    "KE113": ("BATCHMEAN-3D",),
    "KE114": ("KL-MEAN",),
    "KE115": ("SWAPPED",),
    "KE116": ("DIM-0",),
    "KE117": ("KL-INPUT-PROBS",),
    "KE118": ("KL-TARGET-LOG",),
    "KE119": ("MULTI-TEACHER-SUM",),
    "KE120": ("TEACHER-TRAIN-MODE", "BN-DRIFT"),
    "KE121": ("LAYER-IN-LOSS",),
    "KE122": ("LOSS-OVERWRITTEN",),
    "KE123": ("STUDENT-CUT",),
    "KE124": ("MASK-SIGN",),
    "KE125": ("TRAINER-SIGNATURE",),
    "KE126": ("JSD-WRONG",),
    "KE127": ("T-MISMATCH",),
    "KE128": ("GRAPHS-KEPT",),
    "KE129": ("MASKED-MEAN",),
    "KE130": ("MASK-UNSHIFTED",),
    "KE131": ("DIM-SEQ",),
    "KE132": ("SELF-TARGET",),
    "KE133": ("INF-MASK",),
    "KE134": ("CONSTRUCTOR",),
    "KE135": ("NO-ZERO-GRAD",),
    "KE136": ("NOT-IN-OPTIMIZER",),
    "KE137": ("TARGET-SUM",),
    "KE138": ("DIM-NORM",),
    "KE139": ("TERM-TWICE",),
    "KE142": ("SUM-OUTLIVES",),
    "KE143": ("LAST-CLASSES",),
    "KE144": ("SIGNED-DIFFERENCE",),
    "KE145": ("POSITIONS-SHIFTED",),
    "KE146": ("PAD-UNMASKED",),
    "KE147": ("CE-TARGET-RAW",),
    "KE140": ("SIDES-DIFFER",),
    "KE141": ("TERM-ZERO",),
}
"""The kinds of mistakes that these codes stand for."""

_SIZES = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")


def formula_findings(judged: Judged, known: frozenset[str], words: str) -> list[Finding]:
    """What the formulas show; ``known`` are the kinds that were found already."""
    places = _places(judged.tracer)
    found: list[Finding] = []
    for loss in judged.losses:
        for term in loss.terms:
            found += _of_term(judged, loss, term, known, places)
    found += _graph(judged, known, places)
    found += _unused_norms(judged.tracer, known)
    if "SOFTMAX-OF-SOFTMAX" not in known:
        found += _softmax_twice(judged, places)
    if "TEACHER-TRAIN-MODE" not in known:
        found += _training_teacher(judged)
    found += _heads(judged, words)
    if not judged.tracer.frameworks - {"torch"}:
        found += structure_findings(judged, known, places)
        found += slips_in_formulas(judged, known, places)
    if judged.tracer.frameworks and "torch" not in judged.tracer.frameworks:
        found += _elsewhere(judged, known, places)
    return list({(f.code, f.span): f for f in found}.values())


def _places(tracer: Tracer) -> dict[Node, ast.AST]:
    """Where each part of a formula stands."""
    places: dict[Node, ast.AST] = {}
    for node in nodes_of(tracer.tree):
        value = tracer.values.get(id(node)) if isinstance(node, ast.expr) else None
        if isinstance(value, Node):
            places.setdefault(value, node)
    return places


def _finding(
    code: str, severity: Severity, node: ast.AST, fix: Fix | None = None, **values: object
) -> Finding:
    return Finding(code, severity, span(node), OWN[code].format(**values), fix)


def _place(part: Node, loss: Loss, places: dict[Node, ast.AST]) -> ast.AST:
    for inner in walk(part):
        if inner in places and isinstance(inner, Call):
            return places[inner]
    return loss.entry.node


def _of_term(
    judged: Judged, loss: Loss, term: Term, known: frozenset[str], places: dict[Node, ast.AST]
) -> Iterator[Finding]:
    node = _place(term.body, loss, places)
    if term.wrong_sign is not None and term.definition is not None:
        yield _finding(
            "KE106", Severity.ERROR, node, _flipped(term.wrong_sign, places),
            formula=term.definition.formula,
        )  # fmt: skip
        return
    if term.law is None or term.law.is_one or term.definition is None:
        return
    if term.definition.key in GENERIC:
        return  # a comparison of any two parts, at any scale
    powers = dict(term.law.powers)
    kinds = {"S": "BATCHMEAN-3D", "H·W": "BATCHMEAN-3D", "C": "KL-MEAN", "T": "NO-T2",
             "N": "MULTI-TEACHER-SUM"}  # fmt: skip
    codes = {"BATCHMEAN-3D": "KE113", "KL-MEAN": "KE114", "NO-T2": "KE105",
             "MULTI-TEACHER-SUM": "KE119"}  # fmt: skip
    covered = known | ({"NO-T2"} if {"T-POW1", "WEIGHT-TYPO", "T-TWICE"} & known else set())
    if "REDUCE-KWARG" in known:
        covered |= {"KL-MEAN"}
    for size, power in powers.items():
        kind = kinds.get(size)
        if kind is None or kind in covered:
            continue
        if (kind == "BATCHMEAN-3D") != (power > 0) and kind != "MULTI-TEACHER-SUM":
            continue
        if kind == "NO-T2" and len(loss.terms) == 1:
            continue  # alone, T² only rescales the learning rate
        fix = _rescaled(kind, term, places, judged)
        yield _finding(codes[kind], Severity.WARNING, node, fix, factor=term.law.text, size=size,
                       name=term.definition.name)  # fmt: skip


def _rescaled(kind: str, term: Term, places: dict[Node, ast.AST], judged: Judged) -> Fix | None:
    """The factor that is missing behind the call that computes the term."""
    node = places.get(term.body)
    if not isinstance(node, ast.Call):
        return None
    factor = None
    if kind == "NO-T2" and isinstance(term.temperature, Given | Constant):
        given = term.temperature
        text = given.text if isinstance(given, Given) else f"{given.value:g}"
        factor = f" * {text} ** 2"
    if kind == "BATCHMEAN-3D" and isinstance(term.student, Given):
        name = judged.tracer.labels.get(term.student, term.student.text)
        name = name if term.student.inputs else term.student.text
        sizes = f"{name}.size(1)" if term.rank == 3 else f"({name}.size(2) * {name}.size(3))"
        factor = f" / {sizes}"
    if factor is None:
        return None
    message = Text("Bring it to the scale of the definition", "恢复定义的尺度")
    return Fix((Edit(span(node), ast.unparse(node) + factor),), "unsafe", message)


def _flipped(part: Node, places: dict[Node, ast.AST]) -> Fix | None:
    """The fix of a sum in which one sign is wrong: only ``a + b`` with the addend on the right."""
    inner = part.args[0] if isinstance(part, Call) and part.name == "neg" else part
    node = places.get(inner)
    if not isinstance(node, ast.expr):
        return None
    source = ast.unparse(node)
    return Fix((Edit(span(node), f"-{source}" if inner is part else source),), "unsafe",
               Text("Change the sign", "改变符号"))  # fmt: skip


def _graph(judged: Judged, known: frozenset[str], places: dict[Node, ast.AST]) -> Iterator[Finding]:
    peers = [
        t for t in judged.terms
        if t.definition is not None and t.definition.key in {"kd", "soft_ce"}
        and t.student is not None and t.teacher is not None
        and side(t.student, judged.roles) == side(t.teacher, judged.roles) == "student"
    ]  # fmt: skip
    for loss in judged.losses:
        for term in loss.terms:
            trained = len(loss.terms) > 1 or loss.entry.how == "backward"
            if term.cut and trained and term.definition and not {
                "ITEM-IN-GRAPH", "GRAPH-CUT", "DETACH-NOOP",
            } & known:  # fmt: skip
                place = _cut_place(loss, judged.tracer)
                fix = None
                if isinstance(place, ast.Call) and isinstance(place.func, ast.Attribute):
                    text = ast.unparse(place.func.value)
                    fix = Fix((Edit(span(place), text),), "unsafe", Text("Keep it", "保留在图中"))
                yield _finding("KE107", Severity.ERROR, place, fix, name=term.definition.name)
            if term in peers and "TARGET-IN-GRAPH" not in known and not _is_cut(term.body):
                node = _place(term.body, loss, places)
                yield _finding("KE108", Severity.WARNING, node, _detached(node, term, judged))


def _cut_place(loss: Loss, tracer: Tracer) -> ast.AST:
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = tracer.values.get(id(node))
            inside = isinstance(value, Node) and any(p is value for p in walk(loss.entry.value))
            if inside and node.func.attr in {"item", "detach"}:
                return node
    return loss.entry.node


def _detached(node: ast.AST, term: Term, judged: Judged) -> Fix | None:
    """``.detach()`` behind the name that the target is made of."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return None
    for inner in ast.walk(node.args[1]):
        if isinstance(inner, ast.Name) and judged.tracer.values.get(id(inner)) is term.teacher:
            edit = Edit(span(inner), f"{inner.id}.detach()")
            return Fix((edit,), "unsafe", Text("Detach the target", "对目标 detach"))
    return None


def _is_cut(body: Node) -> bool:
    return any(isinstance(p, Call) and p.name == "detach" for p in walk(body))


_NORMALISERS = ("normalize", "softmax", "log_softmax")


def _unused_norms(tracer: Tracer, known: frozenset[str]) -> Iterator[Finding]:
    """A normalised value that is thrown away, or kept under a name that nobody reads."""
    if "DEAD-NORM" in known:
        return
    tree = tracer.tree
    reads: dict[str, list[ast.Name]] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            reads.setdefault(node.id, []).append(node)
    in_norms = _names_in_norms(tree)
    compared: set[int] | None = None
    for node in nodes_of(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name in _NORMALISERS and call.args and isinstance(call.args[0], ast.Name):
                text = f"{call.args[0].id} = {ast.unparse(call)}"
                fix = Fix((Edit(span(call), text),), "unsafe", Text("Keep it", "保留结果"))
                yield _finding("KE109", Severity.ERROR, node, fix, name=call.args[0].id)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            target = node.targets[0].id
            original = _normalised_of(node.value) or _softened_name(tracer, node.value)
            if original is None or target in reads or target == original:
                continue
            direct = None
            if _softened_name(tracer, node.value):
                compared = _compared_directly(tracer) if compared is None else compared
                direct = compared
            edits = tuple(
                Edit(span(n), target) for n in reads.get(original, ())
                if n.lineno > node.lineno and id(n) not in in_norms
                and (direct is None or id(n) in direct)
            )  # fmt: skip
            if edits and ("norm" in target.lower() or _softened_name(tracer, node.value)):
                fix = Fix(edits, "unsafe", Text("Use the normalised", "使用归一化后的值"))
                yield _finding("KE109", Severity.ERROR, node, fix, name=target)


def _names_in_norms(tree: ast.Module) -> set[int]:
    """The nodes in what is assigned to names of norms."""
    return {
        id(inner) for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        and "norm" in n.targets[0].id.lower()
        for inner in ast.walk(n.value)
    }  # fmt: skip


def _compared_directly(tracer: Tracer) -> set[int]:
    """The names that a call of a loss is given as they are."""
    found: set[int] = set()
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and not _is_normaliser(node):
            value = tracer.values.get(id(node))
            made = isinstance(value, Call | Choice)
            found |= {id(a) for a in node.args[:2] if isinstance(a, ast.Name) and made}
    return found


def _is_normaliser(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return any(word in name.lower() for word in ("softmax", "norm", "sigmoid"))


def _softened_name(tracer: Tracer, value: ast.expr) -> str | None:
    """``x`` where a layer that normalises is applied to the name alone."""
    made = tracer.values.get(id(value))
    named = isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Name)
    if not named or not isinstance(made, Call) or made.name not in _NORMALISERS:
        return None
    return value.args[0].id  # type: ignore[attr-defined, no-any-return]


def _normalised_of(value: ast.expr) -> str | None:
    """``x`` of ``x / x.mean()``, ``F.normalize(x)``."""
    quotient = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div)
    if isinstance(value, ast.BinOp) and quotient and isinstance(value.left, ast.Name):
        inside = {n.id for n in ast.walk(value.right) if isinstance(n, ast.Name)}
        return value.left.id if value.left.id in inside else None
    if isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Name):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        return value.args[0].id if name in _NORMALISERS else None
    return None


_KEEPS = frozenset(
    [
        "div",
        "index",
        "view",
        "reshape",
        "flatten",
        "detach",
        "identity",
        "floating",
        "mean",
        "stack",
    ]
)


def _softmax_twice(judged: Judged, places: dict[Node, ast.AST]) -> Iterator[Finding]:
    for loss in judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"softmax", "log_softmax"}:
                continue
            inner: Node = part.args[0]
            while isinstance(inner, Call) and inner.name in _KEEPS:
                inner = inner.args[0]
            if not (isinstance(inner, Call) and inner.name == "softmax") or part not in places:
                continue
            made = places.get(inner)
            fix = None
            if isinstance(made, ast.Call) and made.args:
                text = ast.unparse(made.args[0])
                fix = Fix((Edit(span(made), text),), "unsafe",
                          Text("Return the logits", "返回 logits"))  # fmt: skip
            yield _finding("KE110", Severity.ERROR, places[part], fix)


def _training_teacher(judged: Judged) -> Iterator[Finding]:
    """``teacher.train()`` where the teacher's output is a target."""
    callees = {
        g.text.split("(", 1)[0] for g, told in judged.roles.items()
        if told.role == "teacher" and g.inputs
    }  # fmt: skip
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        off = node.args and isinstance(node.args[0], ast.Constant) and not node.args[0].value
        owner = ast.unparse(node.func.value)
        if node.func.attr == "train" and owner in callees and not off:
            fix = Fix((Edit(span(node), f"{owner}.eval()"),), "unsafe",
                      Text("Put it in eval mode", "切到 eval 模式"))  # fmt: skip
            yield _finding("KE120", Severity.WARNING, node, fix, name=owner)


def _heads(judged: Judged, words: str) -> Iterator[Finding]:
    told = _SIZES.search(words)
    if told is None:
        return
    for term in judged.terms:
        if not isinstance(term.student, Given) or not isinstance(term.teacher, Given):
            continue
        labels = judged.tracer.labels
        student, teacher = (labels.get(g, g.text) for g in (term.student, term.teacher))
        for node in nodes_of(judged.tracer.tree):
            if isinstance(node, ast.Call) and judged.tracer.values.get(id(node)) is not None:
                value = judged.tracer.values[id(node)]
                if isinstance(value, Call) and value.name == "log_softmax":
                    target = next((n for n in ast.walk(node) if isinstance(n, ast.Name)
                                   and n.id == student), None)  # fmt: skip
                    if target is None:
                        continue
                    edit = Edit(span(target), f"{student}[:, :{teacher}.size(1)]")
                    grown = int(told[1]) >= int(told[2]) or judged.incremental
                    message = Text("Slice to the old classes", "切出旧类")
                    fix = Fix((edit,), "unsafe", message) if grown else None
                    text = OWN["KE111" if grown else "KE111-FEWER"]
                    message = text.format(a=told[1], b=told[2])
                    yield Finding("KE111", Severity.ERROR, span(node), message, fix)
                    return


def _elsewhere(
    judged: Judged, known: frozenset[str], places: dict[Node, ast.AST]
) -> Iterator[Finding]:
    """In other frameworks: what the rules of ``check``, which read PyTorch, would find."""
    for loss in judged.losses:
        yield from raw_targets(loss, judged, places)
        for part in walk(loss.entry.value):
            if not isinstance(part, Call):
                continue
            node = places.get(part, loss.entry.node)
            if part.name in {"softmax", "log_softmax"}:
                dim = part.keyword("dim") or (part.args[1] if len(part.args) > 1 else None)
                if isinstance(dim, Constant) and dim.value == 0:
                    yield _finding("KE116", Severity.ERROR, node, _last_axis(node))
            if part.name == "kl_div" and len(part.args) > 1:
                first, second = part.args[:2]
                if isinstance(first, Call) and first.name == "softmax":
                    yield _finding("KE117", Severity.ERROR, node)
                if isinstance(second, Call) and second.name == "log_softmax":
                    yield _finding("KE118", Severity.ERROR, node)
            if part.name == "mul" and len(part.args) == 2 and isinstance(part.args[1], Call):
                log_ratio = part.args[1]
                raw = log_ratio.args[-1] if log_ratio.name == "sub" else None
                if isinstance(raw, Call) and raw.name == "softmax":
                    call = _two_arguments(loss, judged.tracer)
                    yield _finding("KE117", Severity.ERROR, call or node, _with_log(call))
        names = {n.name.lower() for n in nodes_of(judged.tracer.tree)
                 if isinstance(n, ast.FunctionDef)}  # fmt: skip
        meant = any(w in n for n in names for w in ("reverse", "rkl", "minillm"))
        for term in loss.terms:
            swapped = term.definition is not None and term.definition.key == "reverse_kl"
            if swapped and not meant and "SWAPPED" not in known:
                call = _two_arguments(loss, judged.tracer)
                fix = None
                if call is not None:
                    one, other = call.args[:2]
                    edits = (Edit(span(one), ast.unparse(other)),
                             Edit(span(other), ast.unparse(one)))  # fmt: skip
                    fix = Fix(edits, "unsafe", Text("Exchange them", "交换两个参数"))
                yield _finding(
                    "KE115", Severity.ERROR, call or _place(term.body, loss, places), fix
                )


def _with_log(call: ast.Call | None) -> Fix | None:
    """``softmax`` of the first argument as ``log_softmax``."""
    first = call.args[0] if call is not None else None
    if not isinstance(first, ast.Call) or not isinstance(first.func, ast.Attribute):
        return None
    text = ast.unparse(first.func)
    edit = Edit(span(first.func), text.removesuffix("softmax") + "log_softmax")
    return Fix((edit,), "unsafe", Text("Give log-probabilities", "改为对数概率"))


def _last_axis(node: ast.AST) -> Fix | None:
    for keyword in getattr(node, "keywords", []):
        if keyword.arg in {"axis", "dim"}:
            return Fix((Edit(span(keyword.value), "-1"),), "unsafe",
                       Text("The class axis", "类别维"))  # fmt: skip
    return None


def _two_arguments(loss: Loss, tracer: Tracer) -> ast.Call | None:
    """The call of a divergence: two arguments that are both probabilities."""
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            values = [tracer.values.get(id(a)) for a in node.args[:2]]
            if all(isinstance(v, Call) and v.name == "softmax" for v in values):
                return node
    del loss
    return None


def unmasked(judged: Judged) -> Iterator[Finding]:
    """Padding that the hard term leaves out and the soft term does not."""
    for loss in judged.losses:
        hard = [t for t in loss.terms if t.definition and t.definition.key == "ce_padded"]
        named = any(isinstance(t.padding, Given) and "pad" in t.padding.text.lower() for t in hard)
        if judged.ranks.order[0] == 4 or not (named or judged.ranks.order[0] == 3):
            continue  # the unlabelled pixels of an image are no padding: the teacher knows them
        for term in loss.terms:
            soft = term.definition is not None and term.definition.key in {"kd", "soft_ce"}
            masked = any(isinstance(p, Call) and p.name in {"ne", "eq", "masked_fill", "where"}
                         for p in walk(term.body))  # fmt: skip
            names = {judged.kinds.get(g) for g in leaves(term.body)}
            if hard and soft and not masked and "mask" not in {str(n) for n in names}:
                yield _finding("KE112", Severity.WARNING, loss.entry.node)
