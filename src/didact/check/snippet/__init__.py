"""From what someone pasted to Python that parses, and what had to be guessed on the way.

Text or bytes enter, `Recovered` leaves; nothing of the checker is called from here. The way of a
text: `reading` (bytes), `page` with `furniture` and `console` (what stands around code on a page or
in a terminal), `characters`, `tokens`; `statement` cuts where a statement must end and `repair`
proves that it parses; `segment` with `prose` tells statements, comments and words apart; `levels`,
`nest` and `clauses` say how deep each stands; `emit` writes them out; `recover` is the whole way.
"""

from didact.check.snippet.prose import Question
from didact.check.snippet.reading import BinaryError, decode
from didact.check.snippet.recover import Recovered, recover
from didact.check.snippet.repair import LAMBDA, parse

__all__ = ["LAMBDA", "BinaryError", "Question", "Recovered", "decode", "parse", "recover"]
