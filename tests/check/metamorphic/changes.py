"""The changes that keep the meaning of a program, by name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from tests.check.metamorphic import forms, naming, structure
from tests.check.metamorphic.editing import Names
from tests.check.metamorphic.program import MAIN, Program, write

_FUNCTIONS = (
    naming.telling_names,
    naming.blank_names,
    naming.alias,
    naming.named_steps,
    naming.folded_steps,
    naming.walrus,
    naming.annotations,
    naming.chinese_comments,
    naming.augmented,
    naming.plain_for_augmented,
    forms.torch_form,
    forms.method_form,
    forms.module_form,
    forms.criterion_form,
    forms.criterion_object,
    forms.functional_form,
    forms.other_alias,
    forms.single_imports,
    forms.partial_form,
    forms.keywords_for_positions,
    forms.positions_for_keywords,
    forms.to_device,
    forms.contiguous,
    structure.helper,
    structure.blank_helper,
    structure.loss_helper,
    structure.other_file,
    structure.loss_in_other_file,
    structure.lambdas,
    structure.inlined,
    structure.module_class,
    structure.class_attribute,
    structure.idle_branch,
    structure.same_branches,
    structure.loop_of_one,
)


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        name: Its short name.
        title: What it does, for people.
        function: Changes a tree in place. It says whether there was anything to change, or gives
            the tree of a second file.
    """

    name: str
    title: str
    function: Callable[[ast.Module, Names], bool | ast.Module | None]

    def apply(self, program: Program) -> Program | None:
        """The changed program; nothing where the change does not apply."""
        tree = program.copy()
        done = self.function(tree, Names(tree))
        if not done:
            return None
        trees = {MAIN: tree}
        if isinstance(done, ast.Module):
            trees[structure.HELPERS] = done
        return write(trees)


CHANGES = {
    function.__name__.replace("_", "-"): Change(
        function.__name__.replace("_", "-"), (function.__doc__ or "").strip(), function
    )
    for function in _FUNCTIONS
}
