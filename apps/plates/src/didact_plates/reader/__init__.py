"""The reader of plates: free of segmentation, one line of pixels to a text that GA 36 allows."""

from didact_plates.reader.reading import SHIPPED, Reader, Reading
from didact_plates.reader.store import ReaderFileError

__all__ = ["SHIPPED", "Reader", "ReaderFileError", "Reading"]
