"""What the structure of a formula shows: cut students, masks, mixtures and temperatures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.judge import Judged, Loss, dimensions
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Each, Given, Node, walk
from didact.check.explain.formula.verdict import Term, is_same, laboratory
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

_CERTAIN = 20.0
"""A number that no difference of scores outweighs."""
_BY_LOGITS = Text(
    "M is the softmax of averaged logits, not the average of the two distributions",
    "M 是平均 logits 的 softmax，不是两个分布的平均",
)
_BY_LOGS = Text(
    "M is the mean of the two log-probabilities, which does not sum to 1, not the mean of the two "
    "distributions",
    "M 是两个对数概率的平均（之和不为 1），不是两个分布的平均",
)
_REVERSED = Text(
    "both terms are KL(M ‖ ·) instead of KL(· ‖ M)", "两项都是 KL(M ‖ ·) 而不是 KL(· ‖ M)"
)
_BOTH = Text("{a}, and {b}", "{a}，并且{b}")
_CASTS = frozenset({"floating", "integers", "booleans", "identity", "detach", "ne", "gt", "eq"})
_AXES = {
    4: {2: Text("the height", "高"), 3: Text("the width", "宽")},
}


def structure_findings(
    judged: Judged, known: frozenset[str], places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """Mistakes that a formula shows by its form."""
    for loss in judged.losses:
        if not {"STUDENT-NO-GRAD", "GRAPH-CUT", "ITEM-IN-GRAPH"} & known:
            yield from _cut_students(judged, loss)
        for term in loss.terms:
            yield from other_temperature(judged, term)
        yield from _mixtures(judged, loss, places)
        yield from _repeated(judged, loss, places)
        yield from _unlike(judged, loss, places)
        if not {"MASK-SIGN", "SELF-TARGET", "STUDENT-UNUSED", "ALIAS-TEACHER"} & known:
            yield from _nothing(judged, loss, places)
        yield from _self_targets(loss, places)
        yield from _unnormalised(judged, loss, places)
        if not {"DIM-0", "TARGET-SUM"} & known:
            yield from _over_the_batch(judged, loss, places)
    if not any(t.dead for t in judged.terms) and "STUDENT-NO-GRAD" not in known:
        yield from _cut_forwards(judged.tracer.tree)
    yield from _masks(judged)
    yield from _infinite(judged)
    if not {"DIM-SEQ", "DIM-0"} & known:
        yield from _together(_axes(judged))
    yield from _normalised_maps(judged)


def _finding(
    code: str, severity: Severity, node: ast.AST, fix: Fix | None, **values: object
) -> Finding:
    return Finding(code, severity, span(node), OWN[code].format(**values), fix)


# A student without gradient


def _cut_students(judged: Judged, loss: Loss) -> Iterator[Finding]:
    dead = [t for t in loss.terms if t.dead and not t.cut and t.definition is not None]
    if not dead:
        return
    students = {
        judged.tracer.labels.get(g, g.text) for t in dead if t.student is not None
        for g in leaves(t.student)
    }  # fmt: skip
    block = _block_of(judged.tracer.tree, students)
    if block is None:
        place, fix = _detached_student(judged, dead)
        yield _finding("KE123", Severity.ERROR, place or loss.entry.node, fix, how="detach")
        return
    yield _finding(
        "KE123", Severity.ERROR, block.items[0].context_expr, _moved_out(block, students),
        how=ast.unparse(block.items[0].context_expr),
    )  # fmt: skip


def _detached_student(judged: Judged, dead: list[Term]) -> tuple[ast.AST | None, Fix | None]:
    """The ``detach()`` on the student's side, and the change that takes it away."""
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call) or last_name(node.func) != "detach":
            continue
        value = judged.tracer.values.get(id(node))
        inside = isinstance(value, Call) and any(
            value in set(walk(t.body)) and t.student in set(walk(value)) for t in dead
        )
        if inside and isinstance(node.func, ast.Attribute):
            message = Text("Let the gradient through", "让梯度通过")
            edit = Edit(span(node), ast.unparse(node.func.value))
            return node, Fix((edit,), "unsafe", message)
    return None, None


def _cut_forwards(tree: ast.Module) -> Iterator[Finding]:
    """A student's forward pass inside ``no_grad`` where a ``backward()`` comes behind."""
    backwards = [n.lineno for n in nodes_of(tree) if isinstance(n, ast.Call)
                 and last_name(n.func) == "backward"]  # fmt: skip
    for block in nodes_of(tree):
        if not isinstance(block, ast.With) or not _freezes(block):
            continue
        if not any(line > (block.end_lineno or block.lineno) for line in backwards):
            continue
        for statement in block.body:
            value = statement.value if isinstance(statement, ast.Assign) else None
            forward = isinstance(value, ast.Call) and role_of(ast.unparse(value.func))
            if forward is Role.STUDENT and isinstance(statement, ast.Assign):
                names = {ast.unparse(statement.targets[0]), ast.unparse(statement.value)}
                how = block.items[0].context_expr
                yield _finding("KE123", Severity.ERROR, how, _moved_out(block, names),
                               how=ast.unparse(how))  # fmt: skip
                return


def _freezes(block: ast.With) -> bool:
    return any(
        last_name(getattr(i.context_expr, "func", i.context_expr)) in {"no_grad", "inference_mode"}
        for i in block.items
    )


def _block_of(tree: ast.Module, names: set[str]) -> ast.With | None:
    """The innermost block without a graph that reads the student."""
    found = None
    for node in nodes_of(tree):
        if isinstance(node, ast.With) and any(
            last_name(getattr(i.context_expr, "func", i.context_expr))
            in {"no_grad", "inference_mode"} for i in node.items
        ) and _reads(node.body, names):  # fmt: skip
            found = node
    return found


def _reads(body: list[ast.stmt], names: set[str]) -> bool:
    bare = {n.split("(", 1)[0] for n in names}
    return any(
        (isinstance(n, ast.Name) and n.id in bare) or ast.unparse(n) in names
        for s in body for n in ast.walk(s) if isinstance(n, ast.Name | ast.Call)
    )  # fmt: skip


def _moved_out(block: ast.With, names: set[str]) -> Fix | None:
    """The student's statements behind the block, where they are its last ones."""
    carried = set(names)
    late: list[ast.stmt] = []
    for statement in block.body:
        if late or _reads([statement], carried):
            late.append(statement)
            carried |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)
                        and isinstance(n.ctx, ast.Store)}  # fmt: skip
    if not late or not all(_reads([s], carried) for s in late):
        return None
    message = Text("Move the student out of the block", "把学生移到块外")
    indent = " " * block.col_offset
    edits = []
    if len(late) == len(block.body):
        head = Span(block.lineno, block.col_offset, block.body[0].lineno, block.body[0].col_offset)
        edits.append(Edit(head, ""))
        late = late[1:]
    for statement in late:
        if any(s.end_lineno == statement.lineno for s in block.body if s is not statement):
            return None
        margin = Span(statement.lineno, 0, statement.lineno, statement.col_offset)
        edits.append(Edit(margin, indent))
    return Fix(tuple(edits), "unsafe", message)


# Temperatures


def other_temperature(judged: Judged, term: Term) -> Iterator[Finding]:
    """The square of another temperature than the one the softmaxes are at."""
    softened = _one_temperature(term.body)
    squares = [
        w for w, power in term.weights
        if power == 2 and isinstance(w, Given) and judged.kinds.get(w) is Kind.TEMPERATURE
    ]  # fmt: skip
    if softened is None or isinstance(softened, Constant) or len(squares) != 1:
        return
    name = judged.tracer.labels.get(softened) or getattr(softened, "text", "")
    factor = squares[0].text
    if squares[0] is softened or not name or _plain(name) == _plain(factor):
        return
    for node in nodes_of(judged.tracer.tree):
        square = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
        if square and ast.unparse(node.left) in {factor, f"self.{factor}"}:  # type: ignore[attr-defined]
            message = Text("Use the same temperature", "用同一个温度")
            fix = Fix((Edit(span(node.left), name),), "unsafe", message)  # type: ignore[attr-defined]
            usable = fix if name.isidentifier() else None
            yield _finding("KE127", Severity.WARNING, node, usable, factor=factor, temperature=name)
            return


def _one_temperature(body: Node) -> Node | None:
    """What divides the scores of all softmaxes of a term, where it is one number for all."""
    found: set[Node] = set()
    for part in walk(body):
        if isinstance(part, Call) and part.name in {"softmax", "log_softmax"}:
            inner = part.args[0]
            if not isinstance(inner, Call) or inner.name != "div":
                return None
            found.add(inner.args[1])
    return found.pop() if len(found) == 1 else None


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


# Mixtures


def _mixtures(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Two divergences from or to one middle distribution that is not as JSD wants it."""
    calls = [
        p for p in walk(loss.entry.value)
        if isinstance(p, Call) and p.name == "kl_div" and len(p.args) > 1
    ]  # fmt: skip
    for number, one in enumerate(calls):
        for other in calls[number + 1 :]:
            reverse = one.args[1] is other.args[1]
            middle = one.args[1] if reverse else one.args[0]
            if not reverse and one.args[0] is not other.args[0]:
                continue
            ends = (one.args[0], other.args[0]) if reverse else (one.args[1], other.args[1])
            sides = [leaves(end) & _tensors(judged) for end in ends]
            both = sides[0] and sides[1] and not sides[0] & sides[1]
            if not both or not sides[0] | sides[1] <= leaves(middle):
                continue
            by_logits = _is_of_mean_logits(middle)
            by_logs = _is_of_mean_logs(middle)
            if not (reverse or by_logits or by_logs):
                continue
            why = _reason(reverse=reverse, by_logits=by_logits)
            node = places.get(one) or loss.entry.node
            fix = _mixed(judged, one, other, places) if reverse else None
            yield _finding("KE126", Severity.ERROR, node, fix, why=why)
            return


def _reason(*, reverse: bool, by_logits: bool) -> Text:
    if reverse:
        return _BOTH.format(a=_BY_LOGITS, b=_REVERSED) if by_logits else _REVERSED
    return _BY_LOGITS if by_logits else _BY_LOGS


def _tensors(judged: Judged) -> set[Given]:
    return {g for g, k in judged.kinds.items() if k in {Kind.TENSOR, Kind.LIST}}


def _is_of_mean_logits(middle: Node) -> bool:
    while isinstance(middle, Call) and middle.name in {"log", "detach", "clamp"}:
        middle = middle.args[0]
    return isinstance(middle, Call) and middle.name in {"softmax", "log_softmax"}


def _is_of_mean_logs(middle: Node) -> bool:
    """Whether a mixture is the mean of two logarithms: the geometric mean, not normalised."""
    while isinstance(middle, Call) and middle.name in {"detach", "mul", "div"}:
        numbers = [a for a in middle.args if not isinstance(a, Constant)]
        if len(numbers) != 1:
            return False
        middle = numbers[0]
    return (
        isinstance(middle, Call)
        and middle.name == "add"
        and all(isinstance(a, Call) and a.name == "log_softmax" for a in middle.args)
    )


def _mixed(judged: Judged, one: Call, other: Call, places: Mapping[Node, ast.AST]) -> Fix | None:
    """Both divergences from the distributions to the mixture, which is their mean."""
    first, second = places.get(one), places.get(other)
    if not isinstance(first, ast.Call) or not isinstance(second, ast.Call):
        return None
    middle = first.args[1]
    if not isinstance(middle, ast.Name) or ast.unparse(second.args[1]) != middle.id:
        return None
    edits: list[Edit] = []
    if _is_of_mean_logits(one.args[1]):
        made = _assigned(judged.tracer.tree, middle.id)
        ends = [
            _assigned(judged.tracer.tree, getattr(c.args[0], "id", "")) for c in (first, second)
        ]
        if made is None or any(e is None or last_name(e.func) != "log_softmax" for e in ends):
            return None
        soft = [ast.unparse(e).replace("log_softmax", "softmax", 1) for e in ends if e is not None]
        edits.append(Edit(span(made), f"0.5 * ({soft[0]} + {soft[1]})"))
    for call in (first, second):
        edits += [
            Edit(span(call.args[0]), f"{middle.id}.log()"),
            Edit(span(call.args[1]), _without_log(call.args[0])),
        ]
    return Fix(tuple(edits), "unsafe", Text("Average the distributions", "对分布取平均"))


def _without_log(node: ast.expr) -> str:
    """The distribution whose logarithm an argument is."""
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name == "log" and isinstance(node.func, ast.Attribute):
            return ast.unparse(node.args[0] if node.args else node.func.value)
        if name == "log_softmax":
            return ast.unparse(node).replace("log_softmax", "softmax", 1)
    return f"{ast.unparse(node)}.exp()"


def _assigned(tree: ast.Module, name: str) -> ast.Call | None:
    found = [
        n.value for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name
    ]  # fmt: skip
    return found[0] if len(found) == 1 and isinstance(found[0], ast.Call) else None


# A network that is its own teacher


def _self_targets(loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A divergence between a network's output and itself: 0, whatever it says."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "kl_div" or len(part.args) < 2:
            continue
        logs, probs = part.args[:2]
        both = isinstance(logs, Call) and isinstance(probs, Call)
        if not both or logs.name != "log_softmax" or probs.name != "softmax":  # type: ignore[attr-defined]
            continue
        if _same(logs.args[0], probs.args[0]):  # type: ignore[attr-defined]
            made = sorted(g.text for g in leaves(logs))
            node = places.get(part) or loss.entry.node
            yield _finding("KE132", Severity.ERROR, node, None, name=", ".join(made[:2]))


def _repeated(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Two terms of one loss that compute the same: one was meant to be another."""
    for branch in loss.branches:
        soft = [t for t in branch.terms if t.definition is not None and t.student is not None]
        for number, one in enumerate(soft):
            for other in soft[number + 1 :]:
                if one.definition is not other.definition or one.over is not None:
                    continue
                sides = ((one.student, other.student), (one.teacher, other.teacher))
                if any(a is None or b is None or not is_same(a, b) for a, b in sides):
                    continue
                labels = judged.tracer.labels
                names = {labels.get(t.body, "") for t in (one, other)} - {""}
                node = places.get(other.body) or loss.entry.node
                assert one.definition is not None
                yield _finding("KE139", Severity.WARNING, node, None, name=one.definition.name,
                               names=", ".join(sorted(names)) or "both")  # fmt: skip
                return


def _unnormalised(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A target made of softmaxes whose sum over the classes is another number than 1."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "kl_div" or len(part.args) < 2:
            continue
        target = part.args[1]
        soft = [p for p in walk(target) if isinstance(p, Call) and p.name == "softmax"]
        if not soft or any(k == "log_target" for k, _ in part.keywords):
            continue
        total = _sum_of(judged, loss, target)
        if total is None or abs(total - round(total)) > 1e-6 or round(total) < 2:
            continue
        summed = next((p for p in walk(target) if isinstance(p, Each)), None)
        node = places.get(part) or loss.entry.node
        second = node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None
        over = summed.loop.text if summed is not None else ""
        shown = "N" if summed is not None else f"{total:g}"
        count = f"len({over})" if over.isidentifier() else "" if summed is not None else shown
        fix = None
        if second is not None and count:
            text = f"({ast.unparse(second)}) / {count}"
            text = text.replace("(", "", 1).replace(")", "", 1) if _is_atom(second) else text
            fix = Fix((Edit(span(second), text),), "unsafe", Text("Average them", "取平均"))
        yield _finding("KE137", Severity.ERROR, node, fix, total=shown)


def _is_atom(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _sum_of(judged: Judged, loss: Loss, target: Node) -> float | None:
    """What a target sums to over the classes; None where it varies."""
    rank = loss.branches[0].rank
    lab = laboratory(loss.entry.value, judged.roles, rank, incremental=judged.incremental)
    try:
        value = lab.raw(target, lab.base)
        over = lab.raw(
            Call("sum", (target,), (("dim", Constant(1 if rank == 4 else -1)),)), lab.base
        )
    except EvaluationError:
        return None
    if not isinstance(value, Array) or not isinstance(over, Array) or value.rank != rank:
        return None
    sums = [float(x) for x in over.data]
    if not sums or max(sums) - min(sums) > 1e-6 or min(value.data) < 0:
        return None
    return sums[0]


def _over_the_batch(
    judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """A softmax over dim 0 of tensors that are told to be a batch, also one written by hand."""
    batched = judged.ranks.certain or any(_is_per_batch(p) for p in walk(loss.entry.value))
    if not batched:
        return
    for part in walk(loss.entry.value):
        if not isinstance(part, Call):
            continue
        node = places.get(part)
        by_hand = isinstance(node, ast.BinOp) and part.name == "div"
        called = isinstance(node, ast.Call) and part.name in last_name(node.func).lower()
        called |= (
            isinstance(node, ast.Call)
            and "softmax" in last_name(node.func).lower()
            and any(
                isinstance(a, ast.Constant)
                for a in [*node.args[1:], *(k.value for k in node.keywords)]
            )
        )
        if node is None or not (by_hand or called) or not _is_over_rows(part):
            continue
        whose = leaves(part.args[0])
        scores = {judged.roles[g].role for g in whose if g in judged.roles}
        if not scores & {"student", "teacher"} or any(map(_is_no_score, whose)):
            continue
        yield _finding("KE116", Severity.ERROR, node, _along_classes(node))


def _is_no_score(given: Given) -> bool:
    """Whether a name is one of weights: a softmax over dim 0 of these is over the teachers."""
    return bool(re.search(r"weight|alpha|prior|coef|gate|lambda|import", given.text, re.I))


def _is_over_rows(part: Call) -> bool:
    """``softmax(x, dim=0)``, or ``exp(x) / exp(x).sum(0)``."""
    if part.name in {"softmax", "log_softmax"}:
        dim = part.keyword("dim") or (part.args[1] if len(part.args) > 1 else None)
        return isinstance(dim, Constant) and dim.value == 0
    if part.name != "div" or len(part.args) != 2:
        return False
    above, below = part.args
    if not isinstance(below, Call) or below.name != "sum" or below.args[0] is not above:
        return False
    dim = below.keyword("dim") or (below.args[1] if len(below.args) > 1 else None)
    exponential = isinstance(above, Call) and above.name == "exp"
    return exponential and isinstance(dim, Constant) and dim.value == 0


def _is_per_batch(part: Node) -> bool:
    """Whether dim 0 is counted as the batch: ``batchmean``, ``/ x.size(0)``."""
    if not isinstance(part, Call):
        return False
    reduction = part.keyword("reduction")
    if isinstance(reduction, Constant) and reduction.value == "batchmean":
        return True
    return part.name == "div" and len(part.args) == 2 and _is_first_size(part.args[1])


def _is_first_size(node: Node) -> bool:
    if not isinstance(node, Call) or not node.args:
        return False
    last = node.args[-1]
    size = node.name == "size" and len(node.args) == 2
    inner = node.args[0]
    size |= node.name == "index" and isinstance(inner, Call) and inner.name == "size"
    return size and isinstance(last, Constant) and last.value == 0


def _along_classes(node: ast.AST) -> Fix | None:
    """The class dimension instead of dim 0."""
    message = Text("The class dimension", "类别维")
    if isinstance(node, ast.BinOp):
        sums = node.right
        if not isinstance(sums, ast.Call):
            return None
        place = next((k.value for k in sums.keywords if k.arg in {"axis", "dim"}), None)
        kept = any(k.arg in {"keepdims", "keepdim"} for k in sums.keywords)
        keep = "keepdims" if any(k.arg == "axis" for k in sums.keywords) else "keepdim"
        if place is None:
            return None
        text = "-1" if kept else f"-1, {keep}=True"
        return Fix((Edit(span(place), text),), "unsafe", message)
    if not isinstance(node, ast.Call):
        return None
    place = next((k.value for k in node.keywords if k.arg in {"axis", "dim"}), None)
    place = place or (node.args[1] if len(node.args) > 1 else None)
    return Fix((Edit(span(place), "-1"),), "unsafe", message) if place is not None else None


def _same(one: Node, other: Node) -> bool:
    """Whether two parts are the same numbers, gradients aside."""
    one, other = _live(one), _live(other)
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    alike = isinstance(one, Call) and isinstance(other, Call) and one.name == other.name
    if not alike or len(one.children) != len(other.children):
        return False
    return all(_same(a, b) for a, b in zip(one.children, other.children, strict=True))


def _live(node: Node) -> Node:
    while isinstance(node, Call) and node.name in {"detach", "identity"}:
        node = node.args[0]
    return node


# Masks and axes


def _masks(judged: Judged) -> Iterator[Finding]:
    """``softmax(z + 1000 * one_hot)``: the true class wins on both sides."""
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call) or "softmax" not in last_name(node.func):
            continue
        for inner in node.args[:1]:
            for part in ast.walk(inner):
                number = _added_mask(judged, part)
                if number is not None and isinstance(part, ast.BinOp):
                    text = f"{ast.unparse(part.left)} - {ast.unparse(part.right)}"
                    fix = Fix((Edit(span(part), text),), "unsafe", Text("Subtract", "改为减"))
                    yield _finding("KE124", Severity.ERROR, part, fix, number=f"{number:g}")


def _added_mask(judged: Judged, node: ast.AST) -> float | None:
    """The number of ``z + 1000 * mask`` where the mask is one-hot."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return None
    product = node.right
    if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
        return None
    for one, other in ((product.left, product.right), (product.right, product.left)):
        value = judged.tracer.values.get(id(one))
        if not isinstance(value, Constant) or not isinstance(value.value, int | float):
            continue
        hot = judged.tracer.values.get(id(other))
        while isinstance(hot, Call) and hot.name in _CASTS:
            hot = hot.args[0]
        is_hot = isinstance(hot, Call) and hot.name in {"one_hot", "scatter"}
        if is_hot and value.value >= _CERTAIN:
            return float(value.value)
    return None


def _infinite(judged: Judged) -> Iterator[Finding]:
    """Classes that are masked with −inf before a ``kl_div``: 0 · inf is NaN."""
    infinite: list[ast.Call] = [
        n for n in nodes_of(judged.tracer.tree)
        if isinstance(n, ast.Call) and last_name(n.func).startswith("masked_fill")
        and len(n.args) > 1 and "inf" in ast.unparse(n.args[1])
    ]  # fmt: skip
    for loss in judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "kl_div":
                continue
            inside = [p for p in walk(part) if isinstance(p, Call) and p.name == "masked_fill"]
            places = [n for n in infinite if judged.tracer.values.get(id(n)) in inside]
            for place in places:
                fix = Fix((Edit(span(place.args[1]), "-1000.0"),), "unsafe",
                          Text("A finite number", "换成有限的数"))  # fmt: skip
                yield _finding("KE133", Severity.ERROR, place, fix)


def _together(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings that are mended all or none: each has the changes of all."""
    found = list(findings)
    edits = tuple(e for f in found if f.fix is not None for e in f.fix.edits)
    for one in found:
        fix = None if one.fix is None else Fix(edits, one.fix.safety, one.fix.message)
        yield Finding(one.code, one.severity, one.span, one.message, fix)


def _axes(judged: Judged) -> Iterator[Finding]:
    """A softmax over the height or the width of maps whose shape is told."""
    if not judged.ranks.certain or judged.ranks.order[0] != 4:
        return
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call):
            continue
        value = judged.tracer.values.get(id(node))
        if not isinstance(value, Call) or value.name not in {"softmax", "log_softmax"}:
            continue
        inner = value.args[0]
        while isinstance(inner, Call) and inner.name in {"div", "detach", "identity", "mul"}:
            inner = inner.args[0]
        dim = value.keyword("dim") or (value.args[1] if len(value.args) > 1 else None)
        if not isinstance(inner, Given) or not isinstance(dim, Constant):
            continue
        axis = dim.value % 4 if isinstance(dim.value, int) else 1
        what = _AXES[4].get(axis)
        if what is None:
            continue
        place = next((k.value for k in node.keywords if k.arg == "dim"), None)
        place = place or (node.args[-1] if len(node.args) > 1 else None)
        fix = None
        if place is not None:
            fix = Fix((Edit(span(place), "1"),), "unsafe", Text("The classes", "类别维"))
        yield _finding("KE131", Severity.ERROR, node, fix, shape=dimensions(4), dim=dim.value,
                       what=what)  # fmt: skip


def _normalised_maps(judged: Judged) -> Iterator[Finding]:
    """``F.normalize(x.pow(2).mean(1), dim=1)`` of maps: each column is normalised, not the map."""
    if not judged.ranks.certain or judged.ranks.order[0] != 4:
        return
    for node in nodes_of(judged.tracer.tree):
        value = judged.tracer.values.get(id(node)) if isinstance(node, ast.Call) else None
        if not isinstance(value, Call) or value.name != "normalize" or not value.args:
            continue
        assert isinstance(node, ast.Call)
        dim = value.keyword("dim") or (value.args[2] if len(value.args) > 2 else Constant(1))
        pooled = value.args[0]
        over = pooled.keyword("dim") if isinstance(pooled, Call) else None
        if over is None and isinstance(pooled, Call) and len(pooled.args) > 1:
            over = pooled.args[1]
        reduced = isinstance(pooled, Call) and pooled.name in {"mean", "sum"}
        kept = isinstance(pooled, Call) and pooled.keyword("keepdim") is not None
        if not reduced or kept or not _is_number(over, {1}) or not _is_number(dim, {1, 2, -1, -2}):
            continue
        if last_name(node.func) != "normalize" or not node.args:
            continue
        text = f"{ast.unparse(node.args[0])}.flatten(1)"
        edits = (Edit(span(node), f"F.normalize({text}, dim=1)"),)
        fix = Fix(edits, "unsafe", Text("Normalise the whole map", "对整张图归一化"))
        what = _AXES[4][2 if dim.value in {1, -2} else 3]  # type: ignore[attr-defined]
        yield _finding("KE138", Severity.ERROR, node, fix, dim=dim.value, what=what)  # type: ignore[attr-defined]


def _is_number(node: Node | None, wanted: set[int]) -> bool:
    return isinstance(node, Constant) and node.value in wanted


def _unlike(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Both sides of a comparison of features made alike but for one dimension."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in _COMPARISONS or len(part.args) < 2:
            continue
        found: list[tuple[Call, Call]] = []
        if not _differences(part.args[0], part.args[1], found) or len(found) != 1:
            continue
        if not leaves(part.args[0]) & _tensors(judged) or not leaves(part.args[1]) & _tensors(
            judged
        ):
            continue
        one, other = found[0]
        node = places.get(one) or loss.entry.node
        texts = [ast.unparse(n) for n in (places.get(one), places.get(other)) if n is not None]
        if len(texts) == 2 and texts[0] != texts[1]:
            yield _finding("KE140", Severity.ERROR, node, None, one=f"`{texts[0]}`",
                           other=f"`{texts[1]}`")  # fmt: skip
            return


_COMPARISONS = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "sub"})


def _differences(one: Node, other: Node, found: list[tuple[Call, Call]]) -> bool:
    """Whether two parts are the same operations on other names; where a constant differs."""
    one, other = _live(one), _live(other)
    if isinstance(one, Given) and isinstance(other, Given):
        return True
    if not isinstance(one, Call) or not isinstance(other, Call) or one.name != other.name:
        return (
            isinstance(one, Constant) and isinstance(other, Constant) and one.value == other.value
        )
    if len(one.args) != len(other.args):
        return False
    keys = [k for k, _ in one.keywords]
    if keys != [k for k, _ in other.keywords]:
        return False
    for a, b in zip(one.children, other.children, strict=True):
        if isinstance(a, Constant) and isinstance(b, Constant) and a.value != b.value:
            if one.name not in _ALONG:
                return False
            if (one, other) not in found:
                found.append((one, other))
        elif not isinstance(a, Constant) and not _differences(a, b, found):
            return False
    return True


_ALONG = frozenset({"normalize", "softmax", "mean", "sum", "norm"})


def _nothing(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A term that is 0 for every draw."""
    for branch in loss.branches:
        for term in branch.terms:
            if isinstance(term.body, Constant | Given) or len(branch.terms) < 2:
                continue
            if not any(isinstance(p, Call) and p.name == "kl_div" for p in walk(term.body)):
                continue
            if not all(g in judged.roles for g in walk(term.body) if isinstance(g, Given)):
                continue
            lab = laboratory(term.body, judged.roles, branch.rank, incremental=judged.incremental)
            try:
                values = [
                    lab.number(term.body, lab.base.changed(seed=seed), term.over) for seed in (0, 1)
                ]
            except EvaluationError:
                continue
            if all(abs(value) < 1e-12 for value in values):
                node = places.get(term.body) or loss.entry.node
                yield _finding("KE141", Severity.ERROR, node, None)
