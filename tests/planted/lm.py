"""Faults of language models: vocabularies, the cache of a teacher, texts."""

from __future__ import annotations

from tests.planted import Fault

FLOOR = "lm"
CACHE = "tests/lm/test_cache.py"

FAULTS = [
    Fault(
        "vocabularies are compared by size",
        FLOOR,
        "differ = sorted(n for n in shared if own.tokens[n] != other.tokens[n])",
        "differ = sorted(n for n in shared if own.size != other.size)",
        "tests/lm/test_vocabulary.py",
    ),
    Fault(
        "classes that the teacher lacks get a logit of 0",
        FLOOR,
        "new_full(shape, RULED_OUT)",
        "new_full(shape, 0.0)",
        "tests/lm/test_vocabulary.py",
    ),
    Fault(
        "the ids of a row are not compared at reading",
        FLOOR,
        'if shard.arrays["row_digest"][place].tobytes() != row_digest(text):',
        'if shard.arrays["row_digest"][place].tobytes() == b"":',
        CACHE,
    ),
    Fault(
        "a shard that is damaged is taken for whole",
        FLOOR,
        "return path.is_file() and check_shard(path) > 0",
        "return path.is_file()",
        CACHE,
    ),
    Fault(
        "the digest of a file leaves out what stands behind it",
        FLOOR,
        "    found.update(view[start + _DIGITS :])\n",
        "    found.update(b'')\n",
        CACHE,
    ),
    Fault(
        "a folder of another cache is gone on with",
        FLOOR,
        "if json.dumps(value) != json.dumps(found[name]):",
        "if json.dumps(value) != json.dumps(value):",
        CACHE,
    ),
    Fault(
        "the teacher speaks in the mode it was in",
        FLOOR,
        "    model.eval()\n    try:",
        "    try:",
        CACHE,
    ),
    Fault(
        "an objective is a mean over the tokens of its own micro-batch",
        FLOOR,
        "divisor = count if items is None else",
        "divisor = count if True else",
        "tests/lm/test_objective.py",
    ),
    Fault(
        "a live teacher is left in the mode that it was asked in",
        FLOOR,
        "            one.training = training",
        "            pass",
        "tests/lm/test_objective.py",
    ),
    Fault(
        "padding counts where a batch has no labels",
        FLOOR,
        "return ids if mask is None else ids.masked_fill(mask == 0, self.ignore_index)",
        "return ids",
        "tests/lm/test_objective.py",
    ),
    Fault(
        "the order of the data does not count",
        FLOOR,
        "for row in check_rows(rows):\n        found.update(row_digest(row))",
        "for row in sorted(check_rows(rows), key=row_digest):\n"
        "        found.update(row_digest(row))",
        CACHE,
    ),
    Fault(
        "packed ids come back in another order",
        FLOOR,
        "start, shift = divmod(place * bits, 8)",
        "start, shift = divmod((7 - place) * bits, 8)",
        CACHE,
    ),
    Fault(
        "steps are as wide at the top as below",
        FLOOR,
        "steps = np.rint(np.sqrt(share) * 255)",
        "steps = np.rint(share * 255)",
        CACHE,
    ),
    Fault(
        "what vLLM says of a token is taken for its successor's",
        FLOOR,
        "yield _row(path, number, tokens, [*said[1:], []])",
        "yield _row(path, number, tokens, [*said[:-1], []])",
        "tests/lm/test_converters.py",
    ),
    Fault(
        "the end of a text is not marked",
        FLOOR,
        "*([] if end is None else [end])",
        "*([] if end is None else [])",
        "tests/lm/test_texts.py",
    ),
    Fault(
        "a sentence of the test that is also in the training is left there",
        FLOOR,
        '_KEEPS_A_TEST = ("test", "validation", "", "train")',
        '_KEEPS_A_TEST = ("train", "validation", "", "test")',
        "tests/lm/test_sentences.py -k counts_once",
    ),
    Fault(
        "anything that decodes is read as Chinese",
        FLOOR,
        "usual >= 0.9 * len(others)",
        "usual >= 0 * len(others)",
        "tests/lm/test_sentences.py -k neither",
    ),
]
