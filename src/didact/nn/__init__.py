"""Floor 2: models, teachers, taps and adapters: what has state."""

from didact._core.optional import require

require("torch", extra="torch")

from didact.nn._adapters import Projector, feature_shapes, projectors
from didact.nn._classifier import ImageClassifier
from didact.nn._dry_run import output_shape, undisturbed
from didact.nn._expandable import ExpandableNetwork, ExpandableStage
from didact.nn._fold import fold_batch_norm
from didact.nn._heads import CosineHead, widened
from didact.nn._registry import MODELS, ModelEntry, build_model, discover, model
from didact.nn._size import count_parameters, size_on_disk
from didact.nn._split_head import split_head
from didact.nn._taps import Tap, Taps, tap, taps
from didact.nn._teacher import Teacher
from didact.nn._teachers import Teachers, check_same_classes
from didact.nn._unwrap import unwrap

discover()

__all__ = [
    "MODELS",
    "CosineHead",
    "ExpandableNetwork",
    "ExpandableStage",
    "ImageClassifier",
    "ModelEntry",
    "Projector",
    "Tap",
    "Taps",
    "Teacher",
    "Teachers",
    "build_model",
    "check_same_classes",
    "count_parameters",
    "feature_shapes",
    "fold_batch_norm",
    "model",
    "output_shape",
    "projectors",
    "size_on_disk",
    "split_head",
    "tap",
    "taps",
    "undisturbed",
    "unwrap",
    "widened",
]
