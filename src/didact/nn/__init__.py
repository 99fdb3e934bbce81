"""Floor 2: models, teachers, taps and adapters: what has state."""

from didact._core.optional import require

require("torch", extra="torch")

from didact.nn import models
from didact.nn.catalogue.registry import MODELS, ModelEntry, build_model, discover, model
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.heads.expandable import ExpandableNetwork, ExpandableStage
from didact.nn.heads.fold import fold_batch_norm
from didact.nn.heads.heads import CosineHead, widened
from didact.nn.heads.split_head import split_head
from didact.nn.inspection.dry_run import output_shape, undisturbed
from didact.nn.inspection.size import count_parameters, size_on_disk
from didact.nn.inspection.unwrap import unwrap
from didact.nn.teachers.adapters import Projector, feature_shapes, projectors
from didact.nn.teachers.taps import Tap, Taps, tap, taps
from didact.nn.teachers.teacher import MOST_CACHED_LOGITS, Teacher
from didact.nn.teachers.teachers import Teachers, check_same_classes

discover(models)

__all__ = [
    "MODELS",
    "MOST_CACHED_LOGITS",
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
