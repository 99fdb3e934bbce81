"""What a report says of a loss before the laws: its name, its sizes, what it returns."""

from __future__ import annotations

import inspect
import re
from typing import Any

from didact._core.i18n import Text
from didact.probe.binding.binding import Binding


def returned(binding: Binding) -> list[Text]:
    """How one number was made of what the loss returned; silent about the plain case."""
    inputs = binding.make()
    student = inputs.student.clone().to(binding.dtype).requires_grad_()
    notes = binding.detailed(inputs.having(student=student))[1]
    notes = [n for n in notes if n.en != "the value"]
    return [Text("of what is returned: {note}", "返回值处理：{note}").format(note=n) for n in notes]


def sized(binding: Binding) -> list[Text]:
    """With how many classes the loss was called, where it is not the same on both sides."""
    sizes = binding.sizes
    notes = []
    if sizes.old is not None:
        notes.append(
            Text(
                f"the student has {sizes.classes} classes, the teacher knows {sizes.old}",
                f"学生有 {sizes.classes} 个类别，教师认识其中 {sizes.old} 个",
            )
        )
        notes += [_LABELLED[sizes.labelled]] if binding.has("labels") else []
    if sizes.batch in (sizes.classes, sizes.old):
        notes.append(
            Text(
                f"it only ran with as many samples as classes ({sizes.batch}); other sizes raise",
                f"只有样本数等于类别数（{sizes.batch}）时才能运行；其他大小会抛出异常",
            )
        )
    return notes


_LABELLED = {
    "all": Text("labels: every class", "标签：所有类别"),
    "new": Text("labels: new classes only", "标签：只含新类"),
    "low": Text("labels: counted from the first new class", "标签：从第一个新类数起"),
}


def name_of(fn: Any) -> str:
    """The name of a loss as a user would write it."""
    found = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    module = getattr(fn, "__module__", None) or type(fn).__module__
    file = re.fullmatch(r"_didact_user_(.+)_[0-9a-f]+", module)
    return f"{file[1] + '.py:' if file else module + '.'}{found}"


def source_of(fn: Any) -> str:
    """The file that a loss stands in, or nothing."""
    try:
        return inspect.getsourcefile(inspect.unwrap(fn)) or ""
    except TypeError:
        return inspect.getsourcefile(type(fn)) or "" if not inspect.isbuiltin(fn) else ""
