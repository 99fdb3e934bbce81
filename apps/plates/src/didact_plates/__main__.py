"""``python -m didact_plates``."""

from didact_plates.cli import main

main()
