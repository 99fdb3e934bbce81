"""Whether a gradient flows into the teacher, and whether ``detach()`` is needed for it."""

from __future__ import annotations

import ast
import re

from didact._core.i18n import Text
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.answers._code import Code, both, either, shown
from didact.check.explain.answers._reach import Reach, Source, losses, reach_of
from didact.check.explain.call_words import last_name
from didact.check.explain.words.polarity import LEAVES_OUT

PLACE = 10
ASKS = either(
    r"\bgrad(ient)?s?\b|detach|no_grad|stop_?gradient|backprop|\bpull|\bdrag"
    r"|(teacher|old model|old net\w*)\b.*\b(updated|trained|changed|frozen|fixed|constant)\b"
    r"|freez\w* the (teacher|old)|\b(does|do|will|would) \w+ (also )?(train|update|change|touch)\b",
    r"梯度|反传|回传|带偏|截断|(教师|老师|旧模型|旧网络|teacher\w*|old\w*) ?(网络|模型)?的?(参数"
    r"|权重)?(会不会|会|也会|有没有|是不是|是否)?(被|已经?)?(更新|训练|冻结|冻住|固定)",
)
_SHOULD = either(
    r"need|necessar|missing|forg[eo]t|should|must|have to|required|why|redundant|superfluous|matter"
    r"|enough|ok\b|okay|fine|omit|leave out|skip|remove|drop",
    r"要不要|需要|必要|必须|吗|为什么|为何|漏|缺|忘|没有?(写|加|包|放)|去掉|省|多余|可以|行不行"
    r"|问题",
)
_CUT_ASKED = either(r"detach|no_grad|stop_?gradient", r"截断")
_FLOWS = either(
    r"(get|gets|receive|flow|flows|go|goes|reach|reaches|into|through|leak|pass|have|has|updat"
    r"|train|with respect|wrt|compute)",
    r"传|流|跑|更新|进|有没有|会不会|回到|带",
)
_WHY_ASKED = either(r"\bwhy\b", r"为什么|为何")
_NOT_THIS = either(
    r"vanish|explod|clip|accumul|tiny|small|none\b|nan|zero|scale|magnitude|norm\b|penalt|memory"
    r"|\boom\b|both.*requires_grad|requires_grad.*both|\beval|chang\w* the grad|same grad"
    r"|grad\w*.*(same|differ(?!entiat))",
    r"消失|爆炸|裁剪|累积|累加|太小|很小|清零|为 ?0|是 ?0|nan|平方|惩罚|显存|内存"
    r"|梯度.{0,6}(一样|相同|不同|区别|变)",
)

_OF_LAYER = either(
    r"projection|projector|regressor|adapter|1x1|conv|\bhead\b|embedding layer",
    r"投影|回归层|卷积|适配",
)
"""Questions on a layer between the two."""
_NO_CUT = Text(
    "No: {how}, so no gradient of this loss flows into `{name}`.",
    "不会：{how}，这个损失的梯度不会传到 `{name}`。",
)
_BY_CALL = Text("`{code}` in line {line} cuts it off", "第 {line} 行的 `{code}` 切断了它")
_BY_BLOCK = Text(
    "it is computed under torch.no_grad() (line {line}), which builds no graph",
    "它是在 torch.no_grad() 里算出来的（第 {line} 行），没有计算图",
)
_YES_UNLESS = Text(
    "Yes, unless `{name}` was computed under torch.no_grad() before: nothing that is shown cuts it "
    "off. If the teacher is to stay as it is, write `{name}.detach()`.",
    "会，除非 `{name}` 之前就是在 torch.no_grad() 里算出来的：贴出的代码里没有任何地方切断它。教师"
    "不该被训练的话，写成 `{name}.detach()`。",
)
_YES_CALLED = Text(
    "Yes: `{code}` in line {line} is computed with its graph, and nothing cuts it off. The "
    "gradient goes into its parameters; they change where the optimiser holds them, and cost "
    "memory where not. Put the call under torch.no_grad().",
    "会：第 {line} 行的 `{code}` 带着计算图，没有任何地方切断它，梯度会传到它的参数：参数在优化器里"
    "就会被训练，不在则白白占显存。把这次前向放进 torch.no_grad()。",
)
_NOT_NEEDED = Text(
    "No, it is not needed: {how}; a detach() on top of it changes nothing.",
    "不需要：{how}，再加 detach() 没有区别。",
)
_ALREADY = Text(
    "Yes, and it is there: {how}. Without it the gradient of this term would also flow back "
    "into `{name}` and pull it towards the student, and its graph would cost memory. (Where "
    "`{name}` was computed under torch.no_grad() anyway, it is superfluous, and harmless.)",
    "要，代码里已经有了：{how}。不加的话，这一项的梯度也会流回 `{name}`，把它往学生那边拉，还多占显"
    "存。（如果 `{name}` 本来就在 torch.no_grad() 里算出，它就是多余的，但无害。）",
)
_DENIED = either(r"\bnot (being )?detach|n't .{0,12}detach", r"(没有?|不)(用|写|做|加)? ?detach")
_WHY_CONSTANT = Text(
    "So that `{name}` is a constant here: {how}, and the gradient of this term goes into the other "
    "side alone.",
    "为了让 `{name}` 在这里是常数：{how}，这一项的梯度只流向另一侧。",
)
_WHY = Text(
    "So that `{name}` is a constant target: {how}, and this term pulls the student's side towards "
    "it, and not it towards the student.",
    "为了让 `{name}` 成为固定的目标：{how}，这一项只把学生一侧拉向它，而不会反过来把它拉向学生。",
)
_OWN_LOSS = Text(
    "It is trained by another term, which this does not touch.",
    "它自己由另一项损失训练，不受影响。",
)
_ADD = Text(
    "Yes, unless `{name}` was computed under torch.no_grad(): nothing that is shown cuts the "
    "gradient to it. Write `{name}.detach()`.",
    "要，除非 `{name}` 是在 torch.no_grad() 里算出来的：贴出的代码里没有任何地方切断它的梯度。写成 "
    "`{name}.detach()`。",
)
_ADD_CALL = Text(
    "Yes: `{code}` in line {line} is computed with its graph and nothing cuts it off, so the "
    "gradient of this loss goes into it as well. Put the call under torch.no_grad(), or detach "
    "its output.",
    "要：第 {line} 行的 `{code}` 带着计算图，没有任何地方切断它，这个损失的梯度也会传进去。把这次前"
    "向放进 torch.no_grad()，或对输出 detach()。",
)
_OF_STUDENT = Text(
    "For the student's gradient it makes no difference: the output only enters as a number. But "
    "`{code}` (line {line}) is computed with its graph, so backward() also fills the .grad of its "
    "parameters and costs memory; where the optimiser holds them they are trained. Put it under "
    "torch.no_grad(), and call eval() on the model.",
    "对学生的梯度没有影响。但第 {line} 行的 `{code}` 带着计算图：backward() 还会给它的参数算 "
    ".grad，多占显存；这些参数若在优化器里就会被训练。应放进 torch.no_grad()，并对该模型调用 "
    "eval()。",
)
_PEERS = Text(
    "No: each loss holds the other network's output as a constant ({cuts}), so {each}.",
    "不会：每个损失里对方的输出都是常数（{cuts}），{each}。",
)
_PEERS_FOR = Text(
    "each loss takes the other network's output as a constant: {each}. Without it the first "
    "backward() would also go through the other network and free the graph that the second one "
    'needs ("Trying to backward through the graph a second time")',
    "每个损失把对方的输出当作常数，{each}。不加的话，第一个 backward() 还会穿过另一个网络，并释放第"
    "二个 backward() 还要用的计算图（报 “Trying to backward through the graph a second time”）",
)
_PEERS_NEED = Text("Yes, and it is there ({cuts}): {why}.", "要，代码里已经有了（{cuts}）：{why}。")
_PEERS_KEEP = Text("No, keep it ({cuts}): {why}.", "不能去掉（{cuts}）：{why}。")
_PEERS_IF_NOT = Text("With it ({cuts}) {why}.", "加上它（{cuts}），{why}。")
_PEERS_WHY = Text("So that {why}.", "为了让{why}。")
_KEEP = Text(
    "No, keep it: {how}. Without it the gradient of this term would also flow back into `{name}` "
    "and pull it towards the student, and its graph would cost memory. Only where `{name}` was "
    "computed under torch.no_grad() may it go.",
    "不建议去掉：{how}。去掉后，这一项的梯度也会流回 `{name}`，把它往学生那边拉，还多占显存。只有 "
    "`{name}` 本来就在 torch.no_grad() 里算出时才可以去掉。",
)
_MAY_GO = Text(
    "Yes, without a detach() it is the same: {how}.",
    "可以不写 detach()：{how}，写不写没有区别。",
)
_STUDENT_CUT = either(r"(detach|cut|no_grad).*\bstudent",
                      r"(学生|student).{0,12}(detach|截断|no_grad)"
                      r"|(detach|截断).{0,8}(学生|student)")  # fmt: skip
_OTHER_SIDE = either(r"teacher|\bwhy\b|target", r"教师|老师|为什么|目标|对方")
_NOT_THE_STUDENT = Text(
    "No: the student's side must keep its graph, as it is the only one that this term is to train; "
    "detached, the term would send it no gradient.",
    "不要：学生一侧必须保留计算图，这一项要训练的正是它；detach 之后它就得不到这一项的梯度。",
)
_OK = either(r"\b(ok|okay|fine|right|correct)\b", r"(可以|行|对|没问题)吗?")
_BLOCK_FINE = Text(
    "Yes: under it (line {line}) no graph is built for the teacher, which saves memory and time; "
    "the numbers are the same.",
    "可以：第 {line} 行的 no_grad() 里不为教师建计算图，省显存和时间，数值不变。",
)
_BLOCK_STAYS = Text(
    "The student's gradient would be the same, but keep it (line {line}): without it a graph is "
    "built for the teacher, which costs memory and time, and the teacher's parameters get a "
    "gradient; they change where the optimiser holds them.",
    "学生的梯度不变，但建议留着（第 {line} 行）：去掉后会为教师建计算图，多占显存和时间，教师的参数"
    "也会得到梯度；它们若在优化器里就会被改动。",
)
_UPDATES = Text("`{loss}.backward()` reaches `{model}` alone",
                "`{loss}.backward()` 只给 `{model}` 求梯度")  # fmt: skip


_FROZEN = either(r"\b(frozen|fixed|constant)\b", r"冻结|冻住|固定")
_IS_FROZEN = Text(
    "Yes, for the gradient: {how}, so none flows into `{name}`. BatchNorm's statistics and dropout "
    "are another matter: they stand still after eval() alone.",
    "对梯度来说是：{how}，梯度不会传到 `{name}`。BatchNorm 的统计量和 dropout 是另一回事，要靠 "
    "eval()。",
)
_NOT_FROZEN = Text(
    "No: `{code}` (line {line}) is computed with its graph, so the gradient goes into its "
    "parameters; they change where the optimiser holds them. Put the call under torch.no_grad(), "
    "and call eval() on the model.",
    "没有：第 {line} 行的 `{code}` 带着计算图，它的参数会得到梯度，"
    "若在优化器里就会被改动。把这次前向"
    "放进 torch.no_grad()，并对该模型调用 eval()。",
)


def is_of_gradients(question: str) -> bool:
    """Whether a question is of where a gradient goes, not of its size."""
    if _NOT_THIS.search(question):
        return False
    if _FROZEN.search(question) or LEAVES_OUT.search(question):
        return True
    return bool(_SHOULD.search(question) or _FLOWS.search(question))


def answer(question: str, code: Code) -> Text | None:
    """By what the gradient of each loss reaches."""
    if not is_of_gradients(question):
        return None
    if not (code.is_torch or code.judged.tracer.frameworks & {"jax", "paddle"}):
        return None
    if "ALIAS-TEACHER" in code.kinds:
        return None
    if _STUDENT_CUT.search(question) and _SHOULD.search(question) and code.terms:
        return None if _OTHER_SIDE.search(question) else _NOT_THE_STUDENT
    reached = [(loss, reach_of(code, loss)) for loss in losses(code)]
    if not reached:
        return None
    if (told := _of_peers(question, reached)) is not None:
        return told
    if _OF_LAYER.search(question):
        return None
    reach = _joined([r for _, r in reached])
    source = _asked(question, code, reach)
    if source is None:
        return None
    why = source.name in reach.cut and (
        _WHY_ASKED.search(question) or (_CUT_ASKED.search(question) and _IF_NOT.search(question))
    )
    if source.name in reach.live and not why:
        told = _open(question, code, source)
    else:
        found, cut = reach.cut[source.name]
        if "jax" in code.judged.tracer.frameworks and (told := _argument(code, cut)) is not None:
            return told
        told = _closed(question, code, found, cut, reach)
    return told if code.is_torch or told is None else _elsewhere(told, code)


def _argument(code: Code, cut: ast.AST) -> Text | None:
    """``stop_gradient`` on an argument of its own: JAX differentiates by the first one alone."""
    name, function = _cut_name(cut), code.function_of(cut)
    arguments = [a.arg for a in function.args.args] if function is not None else []
    given = "argnums" in code.text
    return None if given or name not in arguments[1:] else _OTHER_ARGUMENT.format(
        name=name, first=arguments[0]
    )  # fmt: skip


_OTHER_ARGUMENT = Text(
    "No, it changes nothing as long as `{name}` is computed outside: it is an argument of its own, "
    "and jax.grad differentiates with respect to the first one, `{first}`, alone. It is needed "
    "where the target is computed from the same parameters inside the function "
    "(self-distillation); here it is harmless.",
    "不需要：只要 `{name}` 在外面算好再传进来，加不加都一样：它是单独的参数，而 jax.grad 默认只对"
    "第一个参数 `{first}` 求导。目标若在函数内由同一组参数算出（自蒸馏），才必须加；这里加了"
    "也无害。",
)


def _elsewhere(told: Text, code: Code) -> Text | None:
    """An answer without PyTorch's own words, for code of another framework."""
    if "paddle" in code.judged.tracer.frameworks:
        return Text(told.en.replace("torch.", "paddle."), told.zh.replace("torch.", "paddle."))
    return None if re.search(r"torch\.|detach\(\)", told.en + told.zh) else told


def _joined(reaches: list[Reach]) -> Reach:
    whole = Reach()
    for reach in reaches:
        whole.live |= reach.live
        whole.cut |= reach.cut
    return whole


def _asked(question: str, code: Code, reach: Reach) -> Source | None:
    """What is asked of: a name of the question, else the teacher's side, where it is one."""
    sources = {**{n: s for n, (s, _) in reach.cut.items()}, **reach.live}
    mentioned = [n for n in code.mentioned(question) if n != "detach"]
    asks_of_cut = _WHY_ASKED.search(question) or _IF_NOT.search(question)
    if asks_of_cut and _CUT_ASKED.search(question):
        sources = {n: s for n, (s, c) in reach.cut.items() if isinstance(c, ast.Call)} or sources
    by_name = [s for s in sources.values()
               if {s.name, s.variable, s.name.split("[")[0]} & set(mentioned)]  # fmt: skip
    teachers = [s for s in sources.values() if _is_teacher(code, s)]
    asked = [s for s in by_name if s in teachers] or teachers
    student = re.search(r"student|学生", question) and not re.search(
        r"teacher|target|教师|老师|目标|old|旧", question
    )
    if student and not _CUT_ASKED.search(question):
        return next((s for s in reach.live.values() if _whose(code, s) == "student"), None)
    if not asked and _CUT_ASKED.search(question):
        asked = [s for s in by_name if s.name in reach.cut]
    if not asked and len(reach.cut) == 1 and _CUT_ASKED.search(question):
        asked = [s for s, _ in reach.cut.values()]
    alike = {s.name in reach.live for s in asked}
    return asked[0] if len(alike) == 1 else None


def _is_teacher(code: Code, source: Source) -> bool:
    return _whose(code, source) == "teacher"


def _whose(code: Code, source: Source) -> str:
    """``"student"`` or ``"teacher"``; nothing where neither is told."""
    named = {role_of(name) for name in (source.name, source.variable) if name}
    if Role.TEACHER in named:
        return "teacher"
    told = {
        g.text.split("(")[0].removeprefix("self."): t.role for g, t in code.judged.roles.items()
    }
    found = {told.get(source.name), told.get(source.variable)} & {"student", "teacher"}
    found |= {"student"} if Role.STUDENT in named else set()
    return str(found.pop()) if len(found) == 1 else ""


def _how(cut: ast.AST) -> Text:
    if isinstance(cut, ast.With | ast.FunctionDef):
        return _BY_BLOCK.format(line=cut.lineno)
    return _BY_CALL.format(code=shown(cut), line=getattr(cut, "lineno", 0))


def _cut_name(cut: ast.AST) -> str:
    """What ``detach()`` or ``stop_gradient`` is applied to."""
    if not isinstance(cut, ast.Call):
        return ""
    if last_name(cut.func) == "stop_gradient":
        return shown(cut.args[0]) if cut.args else ""
    return shown(cut.func.value) if isinstance(cut.func, ast.Attribute) else ""


def _name(source: Source) -> str:
    if source.variable:
        return source.variable
    return shown(source.called) if source.called is not None else source.name


def _closed(question: str, code: Code, source: Source, cut: ast.AST, reach: Reach) -> Text | None:
    how, name = _how(cut), _cut_name(cut) or _name(source)
    block = code.without_graph(source.called) if source.called is not None else None
    if isinstance(block, ast.With | ast.FunctionDef) and not isinstance(cut, ast.With):
        cut, how = block, _how(block)
    if _FROZEN.search(question):
        return _IS_FROZEN.format(how=how, name=_name(source))
    if not _CUT_ASKED.search(question):
        told = _NO_CUT.format(how=how, name=_name(source))
        return Text(told.en, told.zh.replace("不会", "不需要", 1)) if "需要" in question else told
    by_block = isinstance(cut, ast.With | ast.FunctionDef)
    if _WHY_ASKED.search(question):
        contrast = "cross_entropy(" in code.text and re.search(
            rf"(@|mm\(|matmul\().*{re.escape(name)}", code.text
        )
        told = (_WHY_CONSTANT if contrast else _WHY).format(how=how, name=name)
        if _DENIED.search(question):
            told = Text(f"It is detached. {told.en}", f"其实已经切断了。{told.zh}")
        return both(told, _OWN_LOSS) if source.name in reach.live else told
    if re.search(r"no_grad", question) and not re.search(r"detach", question):
        gone = LEAVES_OUT.search(question) or _IF_NOT.search(question)
        form = _BLOCK_STAYS if gone else _BLOCK_FINE if _OK.search(question) else _NEEDED_BLOCK
        return None if not by_block else form.format(line=getattr(cut, "lineno", 0))
    if LEAVES_OUT.search(question):
        return (_MAY_GO if by_block else _KEEP).format(how=how, name=name)
    if not by_block and _IF_NOT.search(question):
        return _WITHOUT.format(name=name)
    if not _SHOULD.search(question):
        return _NO_CUT.format(how=how, name=_name(source))
    return (_NOT_NEEDED if by_block else _ALREADY).format(how=how, name=name)


_IF_NOT = either(
    r"what (happens|if)|without|forget|remove|leave .* out",
    r"会怎(么)?样|不(写|加|用).*(会|有)|去掉|删掉|如果",
)
_WITHOUT = Text(
    "Without detach() the gradient of this term would also flow into `{name}` and pull it towards "
    "the student, and its graph would cost memory. The detach() is superfluous only where `{name}` "
    "was computed under torch.no_grad().",
    "不写 detach()，这一项的梯度也会流进 `{name}`，把它往学生那边拉，还多占显存。只有 `{name}` 本来"
    "就在 torch.no_grad() 里算出时，detach() 才是多余的。",
)
_NEEDED_BLOCK = Text(
    "Yes, and it is there (line {line}): no graph is built for the teacher, which saves memory and "
    "time; the numbers are the same.",
    "要，代码里已经放了（第 {line} 行）：不为教师建计算图，省显存和时间，数值不变。",
)


def _open(question: str, code: Code, source: Source) -> Text | None:
    if re.search(r"requires_grad_?\(?\s*=?\s*\(?False", code.text):
        return None
    name, called = _name(source), source.called
    if _whose(code, source) == "student":
        return _STUDENT.format(name=name)
    if _FROZEN.search(question):
        return (
            None if called is None else _NOT_FROZEN.format(code=shown(called), line=called.lineno)
        )
    if _UPDATED.search(question) and called is not None:
        return _update(code, source, called)
    if re.search(r"no_grad", question) and called is not None and code.is_torch:
        return _OF_STUDENT.format(code=shown(called), line=called.lineno)
    if _FINE.search(question) or LEAVES_OUT.search(question):
        if called is None:
            return _FINE_IF.format(name=name)
        return _NOT_FINE.format(code=shown(called), line=called.lineno)
    if _CUT_ASKED.search(question) or not _FLOWS.search(question):
        if called is not None:
            return _ADD_CALL.format(code=shown(called), line=called.lineno)
        return _ADD.format(name=name)
    if called is not None:
        return _YES_CALLED.format(code=shown(called), line=called.lineno)
    return _YES_UNLESS.format(name=name)


_FINE = either(
    r"\b(ok|okay|fine|alright|all right|a problem)\b.*(not|without|no |isn't|aren't)",
    r"(不|没有?).{0,12}(可以|行|没问题|有问题|有影响|要紧)",
)
_FINE_IF = Text(
    "Only if `{name}` was computed under torch.no_grad(): nothing that is shown cuts the "
    "gradient to it, and otherwise the loss pulls the teacher towards the student as well. "
    "`{name}.detach()` is safe.",
    "只有 `{name}` 是在 torch.no_grad() 里算出来的才可以：贴出的代码没有切断它的梯度，否则损失也"
    "会把教师往学生那边拉。写成 `{name}.detach()` 最稳妥。",
)
_NOT_FINE = Text(
    "Better not: `{code}` in line {line} is computed with its graph, so the gradient goes into "
    "its parameters; they change where the optimiser holds them, and cost memory where not. Put "
    "the call under torch.no_grad().",
    "最好不要这样：第 {line} 行的 `{code}` 带着计算图，梯度会传到它的参数：参数在优化器里就会被训"
    "练，不在则白白占显存。把这次前向放进 torch.no_grad()。",
)
_STUDENT = Text(
    "Yes: nothing between the loss and `{name}` cuts the gradient off.",
    "会：从损失到 `{name}` 之间没有任何地方切断梯度。",
)
_UPDATED = either(r"updated|trained|changed", r"更新|训练")
_NOT_HELD = Text(
    "No: the optimiser holds {held} alone (line {line}). But `{code}` (line {at}) is computed with "
    "its graph, so backward() still fills the .grad of its parameters and costs memory; put it "
    "under torch.no_grad().",
    "不会：优化器里只有 {held}（第 {line} 行）。但第 {at} 行的 `{code}` 带着计算图，backward() 还"
    "是会给它的参数算 .grad，白占显存；应放进 torch.no_grad()。",
)
_IF_HELD = Text(
    "Only where the optimiser holds its parameters, which is not shown: `{code}` (line {at}) is "
    "computed with its graph, so its parameters do get a gradient. Put it under torch.no_grad().",
    "取决于优化器里有没有它的参数，这里没有给出：第 {at} 行的 `{code}` 带着计算图，它的参数会得到梯"
    "度。应放进 torch.no_grad()。",
)


_BY_TRAINER = Text(
    "No: Trainer's optimiser holds the parameters of its own model alone. But `{code}` (line {at}) "
    "is computed with its graph, so backward() fills the .grad of its parameters and costs memory; "
    "put it under torch.no_grad().",
    "不会：Trainer 的优化器只含它自己的 model 的参数。但第 {at} 行的 `{code}` "
    "带着计算图，backward() "
    "会给它的参数算 .grad，白占显存；应放进 torch.no_grad()。",
)


def _update(code: Code, source: Source, called: ast.Call) -> Text:
    """Whether an optimiser that is shown holds the parameters of a model that gets a gradient."""
    own = ast.unparse(called.func).startswith("self.")
    if (
        own
        and not code.calls(*_OPTIMISERS)
        and any(
            f.name == "compute_loss"
            and [a.arg for a in f.args.args[:3]] == ["self", "model", "inputs"]
            for f in code.functions()
        )
    ):
        return _BY_TRAINER.format(code=shown(called), at=called.lineno)
    for call in code.calls(*_OPTIMISERS):
        held = ast.unparse(call.args[0]) if call.args else ""
        if "parameters()" in held and source.name not in held:
            return _NOT_HELD.format(held=f"`{held}`", line=call.lineno, code=shown(called),
                                        at=called.lineno)  # fmt: skip
    return _IF_HELD.format(code=shown(called), at=called.lineno)


_OPTIMISERS = frozenset({"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "LBFGS", "Lion"})


def _of_peers(question: str, reached: list[tuple[ast.expr, Reach]]) -> Text | None:
    """Two networks that are each other's target, where each loss reaches one of them alone."""
    if len(reached) != 2:
        return None
    (first, one), (second, two) = reached
    models = [{s.name for s in r.live.values() if s.called is not None} for r in (one, two)]
    if any(len(m) != 1 for m in models) or models[0] == models[1]:
        return None
    cuts = [c for r in (one, two) for _, c in r.cut.values() if isinstance(c, ast.Call)]
    if len(cuts) < 2:
        return None
    shown_cuts = Text(
        ", ".join(f"`{shown(c)}`" for c in cuts), "、".join(f"`{shown(c)}`" for c in cuts)
    )
    updates = [_UPDATES.format(loss=shown(loss), model=min(m))
               for loss, m in zip((first, second), models, strict=True)]  # fmt: skip
    each = Text(" and ".join(u.en for u in updates), "，".join(u.zh for u in updates))
    if _CUT_ASKED.search(question):
        form = (
            _PEERS_KEEP if LEAVES_OUT.search(question)
            else _PEERS_IF_NOT if _IF_NOT.search(question)
            else _PEERS_WHY if _WHY_ASKED.search(question)
            else _PEERS_NEED
        )  # fmt: skip
        return form.format(cuts=shown_cuts, why=_PEERS_FOR.format(each=each))
    return _PEERS.format(cuts=shown_cuts, each=each)
