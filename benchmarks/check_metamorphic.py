"""How much of what `didact check` finds survives changes that keep a program's meaning?

    python benchmarks/check_metamorphic.py [--write] [--differences] [--pending]

Every change of ``tests/check/metamorphic`` is applied to both examples of every rule and to the
inputs in ``tests/check/unseen``. ``--write`` writes ``docs/check-metamorphic.md``; without it the
shares are printed. ``--differences`` lists every difference, and which listed exceptions are none.
``--pending`` writes those that are no listed exceptions to ``pending.csv``, so that they are let
pass for now. The exit code is 1 where a difference is not listed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.check.metamorphic.changes import CHANGES  # noqa: E402
from tests.check.metamorphic.inputs import Input, examples, unseen  # noqa: E402
from tests.check.metamorphic.numbers import watch  # noqa: E402
from tests.check.metamorphic.running import runnables  # noqa: E402
from tests.check.metamorphic.table import (  # noqa: E402
    PENDING,
    Outcome,
    Shares,
    exceptions,
    is_excepted,
    outcomes,
    program_of,
)

PAGE = ROOT / "docs" / "check-metamorphic.md"
HEAD = """# What stays the same

A finding should depend on what code computes, not on how it is written. So both examples of every
rule of `didact check`, and {unseen} inputs that once were judged wrongly, are run through
{changes} changes that keep their meaning: other names, helpers, other files, functions against
modules against methods, branches and loops that do nothing. That they do keep it is tested too: on
random tensors the changed programs return the same numbers. The same codes must be found at the
same statements, and silence must stay silence.

**{share} of {count} findings and silences are kept**, of the findings alone {loud}; the rule that
keeps least keeps {least}.

This page is written by `python benchmarks/check_metamorphic.py --write`.

## Changes

"""


def page(found: list[Outcome], unseen_count: int) -> str:
    """The whole page."""
    shares = Shares(found)
    rules = sorted({outcome.item.rule for outcome in found})
    least = min(rules, key=lambda rule: shares.of(rule) or 0)
    head = HEAD.format(
        unseen=unseen_count,
        changes=len(CHANGES),
        share=percent(shares.of()),
        count=shares.count(),
        loud=percent(Shares([o for o in found if o.before or o.after]).of()),
        least=f"{percent(shares.of(least))} ({least})",
    )
    return head + "\n\n".join(
        [
            _changes(shares),
            "## Rules and changes\n\nThe numbers are those of the table above; a dot is all, an "
            "empty cell says that the change does not apply.",
            _matrix(shares, rules),
            "## What is not the same yet\n\n" + _differences(found),
            *(["## What cannot be the same\n\n" + _exceptions()] if exceptions() else []),
        ]
    )


def percent(share: float | None) -> str:
    """A share in words."""
    return "" if share is None else f"{share:.1%}"


def _changes(shares: Shares) -> str:
    rows = ["| | change | what it does | applied to | kept |", "|---|---|---|---|---|"]
    for number, change in enumerate(CHANGES.values(), 1):
        title = change.title.replace("|", "\\|").replace("``", "`")
        kept = percent(shares.of("", change.name))
        count = shares.count("", change.name)
        rows.append(f"| {number} | {change.name} | {title} | {count} | {kept} |")
    return "\n".join(rows)


def _matrix(shares: Shares, rules: list[str]) -> str:
    numbers = range(1, len(CHANGES) + 1)
    rows = [f"| rule | all | {' | '.join(map(str, numbers))} |", "|---" * (len(CHANGES) + 2) + "|"]
    for rule in rules:
        cells = [_cell(shares.of(rule, change)) for change in CHANGES]
        rows.append(f"| {rule} | {percent(shares.of(rule))} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(share: float | None) -> str:
    if share is None:
        return ""
    return "·" if share == 1 else f"{share:.0%}"


def _differences(found: list[Outcome]) -> str:
    """The inputs whose findings differ under each change, what cannot be the same left out."""
    rows = ["| change | inputs |", "|---|---|"]
    for name in CHANGES:
        known = exceptions()
        differing = [o.item.name for o in found if o.change == name and not o.same]
        left = [item for item in differing if not {(name, item), (name, "*")} & set(known)]
        if left:
            rows.append(f"| {name} | {', '.join(left)} |")
    return "\n".join(rows) + "\n"


def _exceptions() -> str:
    rows = ["| change | input | why |", "|---|---|---|"]
    for (change, item), reason in sorted(exceptions().items()):
        rows.append(f"| {change} | {'all' if item == '*' else item} | {reason} |")
    return "\n".join(rows) + "\n"


def write_pending(found: list[Outcome]) -> None:
    """List what differs and is no exception."""
    known = exceptions()
    rows = [
        (o.change, o.item.name)
        for o in found
        if not o.same and not {(o.change, o.item.name), (o.change, "*")} & set(known)
    ]
    rows += [("numbers", item.name) for item in [*examples(), *unseen()] if _is_misjudged(item)]
    with PENDING.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("change", "input"), *rows])


def _is_misjudged(item: Input) -> bool:
    """Whether something inferred of a value is not what torch computes."""
    program, _ = program_of(item)
    watched = [watch(program, function) for function in runnables(program)]
    return any(w is not None and w.wrong for w in watched)


def main() -> None:
    """Apply, count, print or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--differences", action="store_true")
    parser.add_argument("--pending", action="store_true")
    options = parser.parse_args()
    found = list(outcomes([*examples(), *unseen()]))
    unlisted = [o for o in found if not o.same and not is_excepted(o)]
    if options.differences:
        for outcome in found:
            if not outcome.same:
                print(f"{'listed  ' if is_excepted(outcome) else 'UNLISTED'} {outcome}")
        differing = {(o.change, o.item.name) for o in found if not o.same}
        for key in exceptions():
            if key not in differing and key[1] != "*":
                print(f"needless exception: {key}")
    if options.pending:
        write_pending(found)
    shares = Shares(found)
    print(f"{percent(shares.of())} of {shares.count()} kept, {len(unlisted)} not listed")
    if options.write:
        PAGE.write_text(page(found, len(unseen())), encoding="utf-8")
        print(PAGE)
    raise SystemExit(int(bool(unlisted)))


if __name__ == "__main__":
    main()
