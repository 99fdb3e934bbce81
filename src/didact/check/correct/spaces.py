"""Corrections of what kind of numbers a loss is given."""

from __future__ import annotations

import ast

from didact.check.correct.site import Site, argument, name_of
from didact.check.engine.events import LossUse
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role, Space
from didact.check.findings.finding import Edit, Span


def kl_arguments(site: Site) -> list[Edit]:
    """Make ``kl_div(log-probabilities of the student, probabilities of the teacher)``."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None or use.kind == _BY_HAND:
        return []
    student, teacher = use.input_node, use.target_node
    backwards = use.input.role is Role.TEACHER and use.target.role is Role.STUDENT
    reversed_spaces = use.input.space is Space.PROBS and use.target.space is Space.LOG_PROBS
    unclear = Role.UNKNOWN in (use.input.role, use.target.role)
    if backwards or (reversed_spaces and unclear and use.input.role is not Role.STUDENT):
        student, teacher = teacher, student
    if student is not use.input_node:
        return _put_exchanged(site, use, student, teacher)
    shared = _shared_temperature(site, student, teacher)
    edits = []
    if use.input.space is Space.PROBS and site.producer(student) is None:
        edits.append(site.replace(student, f"{site.closed(student)}.log()"))  # as of a mixture
    elif use.input.space is not Space.LOG_PROBS:
        text = site.distribution("log_softmax", student, shared)
        edits.append(site.replace(site.place(student), text))
    if use.target.space is Space.LOG_PROBS and site.producer(teacher) is None:
        edits.append(site.replace(teacher, f"{site.closed(teacher)}.exp()"))
    elif use.target.space is not Space.PROBS:
        text = site.distribution("softmax", teacher, shared)
        edits.append(site.replace(site.place(teacher), text))
    return edits


_BY_HAND = "kl_by_hand"


def exchanged(site: Site) -> list[Edit]:
    """The two sides of a divergence, each in the other's place."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None:
        return []
    if use.kind == _BY_HAND:
        return _turned_by_hand(site, use)
    return _put_exchanged(site, use, use.target_node, use.input_node)


def _put_exchanged(site: Site, use: LossUse, student: ast.expr, teacher: ast.expr) -> list[Edit]:
    """Both slots of a divergence written anew, the student's in log space."""
    assert use.input_node is not None
    assert use.target_node is not None
    shared = _shared_temperature(site, student, teacher)
    first = site.distribution("log_softmax", student, shared)
    second = _without_log(site, teacher) or site.distribution("softmax", teacher, shared)
    return [site.replace(use.input_node, first), site.replace(use.target_node, second)]


def _without_log(site: Site, node: ast.expr) -> str | None:
    """``q`` of ``q.log()`` and ``torch.log(q)``."""
    if not isinstance(node, ast.Call) or name_of(node) != "log":
        return None
    if node.args:
        return site.text(node.args[0]) if isinstance(node.args[0], ast.Name) else None
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return site.text(owner) if isinstance(owner, ast.Name) else None


def _turned_by_hand(site: Site, use: LossUse) -> list[Edit]:
    """``p * (log p - log q)`` as ``q * (log q - log p)``, where all of it stands in one place."""
    weight, logs = use.target_node, use.input_node
    if not isinstance(logs, ast.BinOp) or not isinstance(logs.op, ast.Sub) or weight is None:
        return []
    upper, lower = logs.left, logs.right
    probs = _without_log(site, lower)
    if probs is None and isinstance(lower, ast.Name):
        probs = f"{lower.id}.exp()"
    if probs is None and isinstance(lower, ast.Call) and name_of(lower) == "log_softmax":
        probs = site.text(lower).replace("log_softmax", "softmax", 1)
    if probs is None:
        return []
    sides = [site.replace(upper, site.text(lower)), site.replace(lower, site.text(upper))]
    return [site.replace(weight, probs), *sides]


def _shared_temperature(site: Site, first: ast.expr, second: ast.expr) -> str | None:
    own, other = site.scores(first)[1], site.scores(second)[1]
    return own or other


def without_log_target(site: Site) -> list[Edit]:
    """Remove ``log_target`` from the loss or from its constructor."""
    call = site.use.criterion if site.use and site.use.criterion else site.node
    if not isinstance(call, ast.Call):
        return []
    arguments = [*(site.text(a) for a in call.args)]
    arguments += [
        f"{k.arg}={site.text(k.value)}" if k.arg else f"**{site.text(k.value)}"
        for k in call.keywords
        if k.arg != "log_target"
    ]
    return [site.replace(call, f"{site.text(call.func)}({', '.join(arguments)})")]


def logits_for_loss(site: Site) -> list[Edit]:
    """Pass the logits where a loss normalises by itself."""
    use = site.use
    if use is None or use.input_node is None or site.producer(use.input_node) is None:
        return []
    made = site.producer(use.input_node)
    inner = argument(made) if made is not None else None
    if made is not None and inner is not None and _serves_such_losses(site, use, made):
        scores = site.scores(made)[0]
        return _without_the_name(site, made, scores) or [site.replace(made, scores)]
    scores, divisor = site.scores(use.input_node)
    text = f"{scores} / {divisor}" if divisor and not use.is_hard else scores
    return [site.replace(use.input_node, text)]


def _without_the_name(site: Site, made: ast.Call, scores: str) -> list[Edit]:
    """The logits' own name in every use of ``prob = softmax(logits)``, whose line goes."""
    statement = site.analysis.parent_of(made)
    if not scores.replace(".", "").isidentifier() or not isinstance(statement, ast.Assign):
        return []
    line = site.analysis.source.split("\n")[statement.lineno - 1]
    if line.strip() != site.text(statement):
        return []
    name = ast.unparse(statement.targets[0])
    read = [
        n for n in ast.walk(site.analysis.tree)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
    ]  # fmt: skip
    whole = Edit(Span(statement.lineno, 0, statement.lineno + 1, 0), "")
    return [whole, *(site.replace(n, scores) for n in read)]


def _serves_such_losses(site: Site, use: LossUse, made: ast.Call) -> bool:
    """Whether the name of a softmax is read by losses that normalise by themselves alone."""
    statement = site.analysis.parent_of(made)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    if not use.is_hard and site.scores(made)[1] is not None:
        return False
    name = statement.targets[0].id
    inputs = [
        other.input_node for other in site.analysis.uses
        if other.kind == use.kind and other.input_node is not None
    ]  # fmt: skip
    taken = {id(n) for node in inputs for n in ast.walk(node)}
    own = [n for n in ast.walk(site.analysis.tree) if isinstance(n, ast.Name) and n.id == name]
    stored = [n for n in own if isinstance(n.ctx, ast.Store)]
    read = [n for n in own if isinstance(n.ctx, ast.Load)]
    return len(stored) == 1 and all(id(n) in taken for n in read)


def log_probs_for_nll(site: Site) -> list[Edit]:
    """Give nll_loss log-probabilities."""
    use = site.use
    if use is None or use.input_node is None:
        return []
    scores, _ = site.scores(use.input_node)
    return [
        site.replace(use.input_node, f"{site.functional}.log_softmax({scores}, dim={site.dim})")
    ]


def log_softmax_at_once(site: Site) -> list[Edit]:
    """``log(softmax(x))`` and ``softmax(x).log()`` as ``log_softmax(x)``."""
    node = site.node
    if not isinstance(node, ast.Call):
        return []
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    candidates = [*node.args[:1], *([inner] if inner is not None else [])]
    for candidate in candidates:
        while isinstance(candidate, ast.BinOp) and isinstance(candidate.op, ast.Add):
            candidate = candidate.left
        if not isinstance(candidate, ast.expr) or _is_a_part(site, candidate):
            continue
        if site.producer(candidate) is not None:
            return [site.replace(node, site.distribution("log_softmax", candidate, None))]
    return []


_SAME_SHAPE = {"detach", "clone", "float", "double", "half", "to", "contiguous", "cuda", "cpu"}


def _is_a_part(site: Site, node: ast.expr) -> bool:
    """Whether an expression is made of some entries of a softmax, and not the softmax itself.

    ``p[mask]`` and ``torch.stack([p[y], 1 - p[y]], 1)`` have another shape.
    """
    if isinstance(node, ast.Subscript):
        return True
    if not isinstance(node, ast.Name):
        return False
    before = [
        statement
        for statement in ast.walk(site.analysis.tree)
        if isinstance(statement, ast.Assign)
        and statement.lineno < node.lineno
        and any(isinstance(t, ast.Name) and t.id == node.id for t in statement.targets)
        and site.beside(node, statement.value)
    ]
    last = max(before, key=lambda statement: statement.lineno).value if before else None
    while (
        isinstance(last, ast.Call)
        and isinstance(last.func, ast.Attribute)
        and last.func.attr in _SAME_SHAPE
    ):
        last = last.func.value
    if isinstance(last, ast.Call):
        return name_of(last) in {"stack", "cat", "gather", "index_select", "sum", "mean", "max"}
    return isinstance(last, ast.Subscript)


def one_softmax(site: Site) -> list[Edit]:
    """Apply softmax once."""
    node = site.node
    if not isinstance(node, ast.Call):
        return []
    inner = argument(node)
    if inner is None:
        return []
    _, outer_temperature = site._divided(inner)
    bare = inner.left if isinstance(inner, ast.BinOp) else inner
    scores, divisor = site.scores(bare)
    divisor = divisor or outer_temperature
    text = f"{scores} / {divisor}" if divisor else scores
    return [site.replace(inner, text)]


def kl_for_bce(site: Site) -> list[Edit]:
    """A categorical loss in the place of element-wise BCE on softmax outputs."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None:
        return []
    if use.target.space in {Space.ONE_HOT, Space.LABELS}:
        scores, target = site.scores(use.input_node)[0], site.text(use.target_node)
        if _is_written_into(site, use.target_node):
            loss = f"{site.functional}.binary_cross_entropy_with_logits({scores}, {target})"
            return [site.replace(use.node, loss)]
        return [site.replace(use.node, f"{site.functional}.cross_entropy({scores}, {target})")]
    shared = _shared_temperature(site, use.input_node, use.target_node)
    student = site.distribution("log_softmax", use.input_node, shared)
    teacher = site.distribution("softmax", use.target_node, shared)
    text = f'{site.functional}.kl_div({student}, {teacher}, reduction="batchmean")'
    return [site.replace(use.node, f"{text} * {shared} ** 2" if shared else text)]


def _is_written_into(site: Site, target: ast.expr) -> bool:
    """Whether columns of one-hot labels were replaced, as iCaRL does with the old classes."""
    return isinstance(target, ast.Name) and any(
        isinstance(place, ast.Subscript)
        and isinstance(place.value, ast.Name)
        and place.value.id == target.id
        and isinstance(place.slice, ast.Tuple)
        and isinstance(place.slice.elts[-1], ast.Slice)
        for assign in site.analysis.index.of(ast.Assign)
        for place in assign.targets
    )


def same_activation(site: Site) -> list[Edit]:
    """The activation of the input side, applied to the target too."""
    use = site.use
    if use is None or use.target_node is None or site.producer(use.target_node) is None:
        return []
    scores, divisor = site.scores(use.target_node)
    text = f"{scores} / {divisor}" if divisor else scores
    if use.kind == "bce_logits":
        return [site.replace(use.target_node, f"torch.sigmoid({text})")]
    return [site.replace(use.target_node, f"{site.functional}.softmax({text}, dim={site.dim})")]


def slice_first(site: Site) -> list[Edit]:
    """``softmax(x)[:, :k]`` as ``softmax(x[:, :k])``."""
    edits: list[Edit] = []
    for node in _sliced(site):
        made, inner = node.value, argument(node.value) if isinstance(node.value, ast.Call) else None
        if not isinstance(made, ast.Call) or inner is None:
            continue
        kind = name_of(made)
        if kind in {"softmax", "log_softmax"}:
            scores, divisor = site.scores(made)
            inside = f"{scores}[{site.text(node.slice)}]" + (f" / {divisor}" if divisor else "")
            text = f"{site.softmaxing}.{kind}({inside}, dim={site.dim})"
            edits.append(site.replace(node, text))
    return list(dict.fromkeys(edits))


def other_side(site: Site) -> list[Edit]:
    """The parameter of the student that nothing reads, where the teacher's tensor stands twice."""
    use = site.use
    if use is None or use.input_node is None:
        return []
    made = site.producer(use.input_node)
    inner = argument(made) if made is not None else None
    function = next(
        (n for n in ast.walk(site.analysis.tree) if isinstance(n, ast.FunctionDef)
         and made is not None and any(i is made for i in ast.walk(n))), None,
    )  # fmt: skip
    if inner is None or function is None:
        return []
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    unread = [a.arg for a in function.args.args if a.arg not in read]
    own = [name for name in unread if role_of(name) is Role.STUDENT] or unread[:1]
    names = [n for n in ast.walk(inner) if isinstance(n, ast.Name)]
    teachers = [n for n in names if role_of(n.id) is Role.TEACHER] or names[:1]
    return [site.replace(teachers[0], own[0])] if own and teachers else []


def _sliced(site: Site) -> list[ast.Subscript]:
    """The slices in a loss, and in what its names were set to."""
    if site.node is None:
        return []
    names = {n.id for n in ast.walk(site.node) if isinstance(n, ast.Name)}
    roots: list[ast.AST] = [site.node]
    roots += [
        s.value
        for s in ast.walk(site.analysis.tree)
        if isinstance(s, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id in names for t in s.targets)
    ]
    return [n for root in roots for n in ast.walk(root) if isinstance(n, ast.Subscript)]


_KERAS_LOSSES = frozenset(
    {
        "SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy",
        "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy",
    }
)  # fmt: skip


def from_logits(site: Site) -> list[Edit]:
    """``from_logits=True`` where the only cross-entropy of the file is made or called."""
    found = [
        n for n in ast.walk(site.analysis.tree)
        if isinstance(n, ast.Call)
        and (n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", ""))
        in _KERAS_LOSSES
        and all(k.arg != "from_logits" for k in n.keywords)
    ]  # fmt: skip
    if len(found) != 1:
        return []
    text = site.text(found[0])
    inside = text[:-1].rstrip().rstrip(",")
    comma = "" if inside.endswith("(") else ", "
    return [site.replace(found[0], f"{inside}{comma}from_logits=True)")]
