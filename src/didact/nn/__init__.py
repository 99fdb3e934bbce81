"""Floor 2: models, teachers, taps and adapters: what has state."""

from didact._core.optional import expect

expect("torch", "numpy", "safetensors")

from didact.nn import models
from didact.nn.blocks.binary_tree import BinaryTree
from didact.nn.catalogue.registry import MODELS, ModelEntry, build_model, discover, model
from didact.nn.files.inputs import Normalisation, OwnInputs, OwnUnits, candidates
from didact.nn.files.programs import FunctionModel, OnnxModel, is_torchscript, load_torchscript
from didact.nn.files.weights import (
    NoLargerThan,
    Weights,
    check_weights,
    load_weights,
    read_weights,
)
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.heads.expandable import ExpandableNetwork, ExpandableStage
from didact.nn.heads.fold import fold_batch_norm
from didact.nn.heads.heads import CosineHead, widened
from didact.nn.heads.split_head import split_head, state_as_it_came
from didact.nn.heads.tokens import TokenBody, through_block, token_body
from didact.nn.heads.tuning import TUNERS, AdaptedBlock, tune
from didact.nn.inspection.dry_run import output_shape, undisturbed
from didact.nn.inspection.own_terms import (
    HasOwnTerms,
    modules_with_own_terms,
    own_terms,
    taken,
)
from didact.nn.inspection.size import count_parameters, size_on_disk
from didact.nn.inspection.unwrap import unwrap
from didact.nn.models.gpt import Gpt, build_gpt
from didact.nn.models.sentence_encoders import (
    AttentionEncoder,
    StaticEncoder,
    build_sentence_encoder,
)
from didact.nn.models.soft_tree import SoftTree, Turn
from didact.nn.teachers.adapters import Projector, feature_shapes, projectors
from didact.nn.teachers.taps import Tap, Taps, find_module, inner_model, tap, taps
from didact.nn.teachers.teacher import MOST_CACHED_LOGITS, Teacher
from didact.nn.teachers.teachers import Teachers, check_same_classes

discover(models)

__all__ = [
    "MODELS",
    "MOST_CACHED_LOGITS",
    "TUNERS",
    "AdaptedBlock",
    "AttentionEncoder",
    "BinaryTree",
    "CosineHead",
    "ExpandableNetwork",
    "ExpandableStage",
    "FunctionModel",
    "Gpt",
    "HasOwnTerms",
    "ImageClassifier",
    "ModelEntry",
    "NoLargerThan",
    "Normalisation",
    "OnnxModel",
    "OwnInputs",
    "OwnUnits",
    "Projector",
    "SoftTree",
    "StaticEncoder",
    "Tap",
    "Taps",
    "Teacher",
    "Teachers",
    "TokenBody",
    "Turn",
    "Weights",
    "build_gpt",
    "build_model",
    "build_sentence_encoder",
    "candidates",
    "check_same_classes",
    "check_weights",
    "count_parameters",
    "feature_shapes",
    "find_module",
    "fold_batch_norm",
    "inner_model",
    "is_torchscript",
    "load_torchscript",
    "load_weights",
    "model",
    "modules_with_own_terms",
    "output_shape",
    "own_terms",
    "projectors",
    "read_weights",
    "size_on_disk",
    "split_head",
    "state_as_it_came",
    "taken",
    "tap",
    "taps",
    "through_block",
    "token_body",
    "tune",
    "undisturbed",
    "unwrap",
    "widened",
]
