"""Faults of the command line."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "cli"
LEARN = "tests/cli/test_learn.py"
CHECK = "tests/cli/test_check.py"
PROBE = "tests/cli/test_probe.py"

FAULTS = [
    Fault(
        "a memory for each class stands beside the recipe's total",
        FLOOR,
        'if "memory_per_class" in given:',
        "if False:",
        f"{LEARN} -k memory_that_is_typed",
    ),
    Fault(
        "the recipe's step stands beside the typed number of tasks",
        FLOOR,
        'if "groups" in given or "tasks" in given or "known" in given:',
        'if "groups" in given or "known" in given:',
        f"{LEARN} -k 'options_become or words_are or one_message'",
    ),
    Fault(
        "the recipe's step stands beside whole-image domains",
        FLOOR,
        'if given.get("scenario") == "domain" and given.get("domains") != "groups":\n'
        '        cut |= {"base": None, "step": None}',
        'if given.get("scenario") == "domain" and given.get("domains") != "groups":\n        pass',
        f"{LEARN} -k whole_image",
    ),
    Fault(
        "three seeds are the seed three",
        FLOOR,
        'tuple(found if "," in text else range(found[0]))',
        "tuple(found)",
        f"{LEARN} -k options_become",
    ),
    Fault(
        "true is a text",
        FLOOR,
        'return name, value.lower() == "true"',
        "return name, value",
        f"{LEARN} -k options_become",
    ),
    Fault(
        "a zero counts as not typed",
        FLOOR,
        "if value is not None and value is not False and value != []",
        "if value",
        f"{LEARN} -k memory_that_is_typed",
    ),
    Fault(
        "findings end with exit code 0",
        FLOOR,
        "return FOUND if report.fails(",
        "return 0 if report.fails(",
        CHECK,
    ),
    Fault(
        "unsafe fixes are made without being asked for",
        FLOOR,
        "safety = SAFE_AND_UNSAFE if request.unsafe_fixes else SAFE",
        "safety = SAFE_AND_UNSAFE",
        CHECK,
    ),
    Fault(
        "--diff writes the files",
        FLOOR,
        '        if self.diff:\n            return "diff"\n',
        "",
        CHECK,
    ),
    Fault(
        "--lang is not heard",
        FLOOR,
        "language = choose_language(request.lang)\n    terminal",
        "language = choose_language()\n    terminal",
        CHECK,
    ),
    Fault(
        "a broken law ends with exit code 0",
        FLOOR,
        "return 0 if report.ok else EXIT_BROKEN",
        "return 0",
        PROBE,
    ),
    Fault(
        "a number on the command line is a text",
        FLOOR,
        "        literal = ast.literal_eval(inner[:-1] if wrapped else text)\n",
        "        literal = text\n",
        PROBE,
    ),
    Fault(
        "what the user's file prints is mixed with the report",
        FLOOR,
        "with redirect_stdout(sys.stderr):\n            return load(",
        "with redirect_stdout(sys.stdout):\n            return load(",
        PROBE,
    ),
    Fault(
        "a user's mistake ends with exit code 1",
        FLOOR,
        '_fail(said(f"error: {printable(str(error))}"), error.exit_code)',
        '_fail(said(f"error: {printable(str(error))}"), 1)',
        f"{LEARN} -k one_message",
    ),
]
