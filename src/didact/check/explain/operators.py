"""Arithmetic in words."""

from __future__ import annotations

import ast

from didact._core.i18n import Text

OPERATORS: dict[type[ast.operator], Text] = {
    ast.Add: Text("the sum of {a} and {b}", "{a} 与 {b} 之和"),
    ast.Sub: Text("{a} minus {b}", "{a} 减 {b}"),
    ast.Mult: Text("{a} times {b}", "{a} 乘 {b}"),
    ast.Div: Text("{a} divided by {b}", "{a} 除以 {b}"),
    ast.FloorDiv: Text("{a} divided by {b}, rounded down", "{a} 整除 {b}"),
    ast.Mod: Text("the remainder of {a} by {b}", "{a} 除以 {b} 的余数"),
    ast.Pow: Text("{a} to the power {b}", "{a} 的 {b} 次方"),
    ast.MatMult: Text("the matrix product of {a} and {b}", "{a} 与 {b} 的矩阵乘积"),
}
"""By the operator of the syntax tree."""
