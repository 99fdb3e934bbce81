"""From what someone pasted to Python that parses, and what had to be guessed on the way."""

from didact.check.snippet.recover import Recovered, recover

__all__ = ["Recovered", "recover"]
