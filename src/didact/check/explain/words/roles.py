"""What tells a role, where neither a model nor a use does."""

from __future__ import annotations

from didact._core.i18n import Text

ITS_MODEL = Text("its output is used as such", "它的输出在公式中充当这一角色")
IS_INPUT = Text("the models are given it", "它是模型的输入")
BY_NAME = Text("by its name alone", "仅凭名字推断")
