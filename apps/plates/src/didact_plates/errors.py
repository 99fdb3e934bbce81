"""What is wrong with what the user gave; the command line shows one sentence and ends with 2."""

from __future__ import annotations


class PlatesError(Exception):
    """The base of every error that the application raises on purpose.

    Attributes:
        exit_code: What the command line ends with.
    """

    exit_code = 2


class PictureError(PlatesError, ValueError):
    """A photograph or film that cannot be read, or not as it is."""


class ModelFileError(PlatesError, ValueError):
    """A file of weights that is missing, damaged or of something else."""


class DownloadError(PlatesError):
    """Data that could not be fetched, or that is not what it should be."""
