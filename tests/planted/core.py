"""Faults of what every floor stands on."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "_core"
LOOKUP = "tests/_core/test_lookup.py"

FAULTS = [
    Fault(
        "the farthest names are suggested",
        FLOOR,
        "difflib.get_close_matches(name, names, n=3, cutoff=0.5)",
        "names[-3:]",
        LOOKUP,
    ),
    Fault(
        "a module that failed stays half imported",
        FLOOR,
        "    except Exception as error:\n        del sys.modules[name]\n",
        "    except Exception as error:\n",
        LOOKUP,
    ),
    Fault(
        "a user's file is imported anew each time",
        FLOOR,
        "    if name in sys.modules:\n        return sys.modules[name]\n",
        "",
        LOOKUP,
    ),
    Fault(
        "only the first part of a dotted name is looked up",
        FLOOR,
        'for part in attribute.split("."):',
        'for part in attribute.split(".")[:1]:',
        LOOKUP,
    ),
    Fault(
        "a missing part of an installed package is called not installed",
        FLOOR,
        "if missing != top and missing not in EXTRAS.get(extra, ()):",
        "if False:",
        "tests/_core",
    ),
    Fault(
        "Chinese is spoken in English",
        FLOOR,
        'return self.zh if language == "zh" else self.en',
        "return self.en",
        "tests/_core tests/check/explain/test_rendering.py",
    ),
    Fault(
        "a text within a text is always English",
        FLOOR,
        'zh=self.zh.format(**{k: _in(v, "zh") for k, v in values.items()})',
        'zh=self.zh.format(**{k: _in(v, "en") for k, v in values.items()})',
        "tests/_core tests/probe/output/test_languages.py",
    ),
    Fault(
        "the locale speaks before DIDACT_LANG",
        FLOOR,
        '("DIDACT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")',
        '("LC_ALL", "LC_MESSAGES", "LANG", "DIDACT_LANG")',
        "tests/_core tests/cli/test_explain.py",
    ),
]
