"""The house stands as its page says: no circles, rooms with a sign on the door, public names."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs_support import generator

house = generator("house")
ROOT = Path(__file__).parents[1]
FLOORS = sorted(house.rooms())
ROOMS = [(f, room) for f in FLOORS for room in sorted(house.rooms()[f]) if "." not in room]
WITH_PUBLIC_NAMES = [
    "data",
    "lm",
    "losses",
    "methods",
    "metrics",
    "nn",
    "probe",
    "recipes",
    "train",
]
PAGES = ["CONTRIBUTING.md", "docs/house.md", "docs/house.zh-CN.md"]


@pytest.mark.parametrize("floor", FLOORS)
def test_no_file_of_a_floor_is_in_an_import_circle(floor: str) -> None:
    """Imports in functions and under ``TYPE_CHECKING`` count too."""
    found = [c for c in house.circles(house.imports()) if c[0].startswith(f"didact.{floor}")]
    assert not found, "these import each other: " + "; ".join(", ".join(c) for c in found)


@pytest.mark.parametrize("floor", FLOORS)
def test_no_rooms_of_a_floor_are_in_a_circle(floor: str) -> None:
    found = house.circles(house.calls(floor))
    assert not found, f"rooms of {floor} that import each other: {found}"


def test_circles_are_seen_however_they_are_imported(tmp_path: Path) -> None:
    package = tmp_path / "didact"
    texts = {
        "__init__": "",
        "a/__init__": "",
        "a/one": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .two import two\n",
        "a/two": "def two():\n    import didact.a.three\n",
        "a/three": "from didact.a import one\n",
        "a/four": "from didact.a.one import thing\n",
    }
    for name, text in texts.items():
        path = package / f"{name}.py"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    assert house.circles(house.imports(package)) == [
        ["didact.a.one", "didact.a.three", "didact.a.two"]
    ]


@pytest.mark.parametrize(("floor", "room"), ROOMS)
def test_a_room_says_what_lives_there(floor: str, room: str) -> None:
    path = house.PACKAGE / floor / room / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert text, f"{path} has no docstring: say what lives there, what comes in, whom it calls"
    assert len(text.split()) >= 5, f"{path} says too little: {text}"


@pytest.mark.parametrize("floor", WITH_PUBLIC_NAMES)
def test_public_is_what_a_floor_exports(floor: str) -> None:
    package = import_module(f"didact.{floor}")
    names = package.__all__
    assert len(set(names)) == len(names)
    assert all(hasattr(package, name) for name in names)
    own = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith(f"didact.{floor}.")
    }
    assert own - set(names) <= {"discover"}, "imported into the floor but not in __all__"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/learn.md"])
def test_users_are_shown_public_names_alone(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    deep = re.findall(r"(?:from|import) (didact\.\w+\.\w+)", text)
    assert not deep, f"{page} imports from inside a floor: {deep}"


@pytest.mark.parametrize("language", list(house.PICTURES))
def test_the_picture_is_fresh(language: str) -> None:
    written = house.PICTURES[language].read_text("utf-8")
    assert written == house.picture(language), "run python docs/generate_house.py"


@pytest.mark.parametrize("page", PAGES)
def test_every_place_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    places = re.findall(r"`((?:\w+/)+[\w.]*)`", text)
    assert len(places) > 8
    missing = [p for p in places if not any((base / p).exists() for base in (ROOT, house.PACKAGE))]
    assert not missing, f"{page} names places that are not there: {missing}"
