"""The errors that didact raises on purpose.

Each message says what was got, what was expected and what to do. The command line turns any
``DidactError`` into one message and exit code 2; a traceback there is a bug of didact's.
"""

from __future__ import annotations


class DidactError(Exception):
    """The base of every error that didact raises on purpose.

    Attributes:
        exit_code: What the command line ends with.
    """

    exit_code = 2


def words_of(error: BaseException) -> str:
    """What an error of the user's code says, which may itself fail to say it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever the user wrote
        return ""


class UsageError(DidactError, ValueError):
    """An option or argument that cannot be used as given."""


class ShapeError(DidactError, ValueError):
    """Tensors whose shapes do not fit together."""


class DtypeError(DidactError, TypeError):
    """A tensor of the wrong element type, such as integer logits."""


class RangeError(DidactError, ValueError):
    """A number outside its range: a temperature of 0, a weight above 1, a label too large."""


class NonFiniteError(DidactError, ValueError):
    """NaN or infinity where a number was expected."""


class UnknownNameError(DidactError, LookupError):
    """A name that nothing answers to; the message suggests what may have been meant."""


class DataError(DidactError):
    """Data that is missing, damaged or not of the form that was promised."""


class ModelError(DidactError):
    """A model that cannot be built, loaded or paired with another."""


class CheckpointError(DidactError):
    """A checkpoint that is damaged or belongs to another run."""


class RunFolderError(DidactError):
    """A run folder that exists already, is missing, or is not a run folder."""


class MissingDependencyError(DidactError, ImportError):
    """A package that is not installed; the message says which command installs it."""


class TrustError(DidactError):
    """Code would be imported that the user did not name; ``--trust`` allows it."""
