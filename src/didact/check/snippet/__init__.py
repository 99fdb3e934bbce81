"""From what someone pasted to Python that parses, and what had to be guessed on the way.

Text enters, `Recovered` leaves; nothing of the checker is called from here. The way of a text:
`page` (fences, prompts, line numbers), `characters`, `tokens`; `statement` cuts where a statement
must end and `repair` proves that it parses; `segment` tells statements, comments and words apart;
`levels` and `nest` say how deep each stands; `emit` writes them out; `recover` is the whole way.
"""

from didact.check.snippet.recover import Recovered, recover
from didact.check.snippet.repair import LAMBDA, parse

__all__ = ["LAMBDA", "Recovered", "parse", "recover"]
