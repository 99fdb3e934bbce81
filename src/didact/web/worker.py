"""A process that answers the page's calls, one JSON line after another, until its input ends.

It can be ended and started anew whatever it is doing, so that no paste can hold the server up.
"""

from __future__ import annotations

import json
import sys

from didact.web.calls import call


def main() -> None:
    """Answer lines ``[name, arguments]`` with lines of JSON."""
    for line in sys.stdin.buffer:
        name, arguments = json.loads(line)
        sys.stdout.buffer.write(call(name, arguments).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
