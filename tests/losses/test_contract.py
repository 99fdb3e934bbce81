"""Every public loss obeys the laws of its kind; a new file in ``didact/losses`` is picked up."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil

import pytest
from tests.losses import support
from tests.losses.checks import CHECKS

import didact.losses
from didact.losses import CARDS

support.load_registries()

NAMES = sorted(CARDS)
HELPERS = {"CARDS", "Card", "standardise_logits", "standardised", "token_maps"}
HELPERS |= {"Head", "NextTokens", "TopK", "fused_linear_kd", "next_tokens"}


def _pairs() -> list[object]:
    found = []
    for name in NAMES:
        try:
            case = support.make_case(name)
        except LookupError:
            continue  # test_inputs_are_known says what is missing
        for check in CHECKS.values():
            if not check.applies(case):
                continue
            why = support.BROKEN_LAWS.get((name, check.name))
            marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
            found.append(pytest.param(name, check.name, marks=marks, id=f"{name}-{check.name}"))
    return found


@pytest.mark.parametrize(("name", "check"), _pairs())
def test_law(name: str, check: str) -> None:
    CHECKS[check].law(support.make_case(name))


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_known(name: str) -> None:
    support.make_case(name).loss()


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_exists(name: str) -> None:
    assert name in support.REFERENCES, (
        f"{name} has no reference: write its equations as float64 loops under "
        f"@reference({name!r}) in tests/losses/references/{CARDS[name].family}.py"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_exported(name: str) -> None:
    assert name in didact.losses.__all__, f"add {name!r} to didact/losses/__init__.py and __all__"
    assert getattr(didact.losses, name) is CARDS[name].function


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_has_its_sections(name: str) -> None:
    text = inspect.getdoc(CARDS[name].function) or ""
    for section in ("Args:", "Raises:", "Paper:", "Example:"):
        assert section in text, f"the docstring of {name} lacks {section!r}"


def test_every_export_is_a_loss_with_a_card() -> None:
    without = sorted(set(didact.losses.__all__) - set(CARDS) - HELPERS)
    assert not without, f"{without}: decorate with @register_loss(...) of losses/kit/registry.py"
    assert didact.losses.__all__ == sorted(didact.losses.__all__, key=_case_sensitive_order)


def _case_sensitive_order(name: str) -> tuple[bool, bool, str]:
    return (not name.isupper(), not name[0].isupper(), name)


def test_every_file_with_a_public_function_is_imported() -> None:
    found = 0
    for module in pkgutil.walk_packages(didact.losses.__path__, "didact.losses."):
        loaded = importlib.import_module(module.name)
        for node in ast.parse(inspect.getsource(loaded)).body:
            decorators = [
                ast.unparse(d).partition("(")[0] for d in getattr(node, "decorator_list", [])
            ]
            if "register_loss" in decorators:
                found += 1
                assert node.name in didact.losses.__all__, (  # type: ignore[attr-defined]
                    f"{module.name} defines the loss {node.name}, which "  # type: ignore[attr-defined]
                    "didact/losses/__init__.py neither imports nor lists in __all__"
                )
    assert found == len(CARDS)


def test_broken_laws_name_losses_and_checks() -> None:
    for (name, check), why in support.BROKEN_LAWS.items():
        assert name in CARDS
        assert check in CHECKS
        assert why
