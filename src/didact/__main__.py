"""``python -m didact`` is ``didact``."""

from didact.cli import main

main()
