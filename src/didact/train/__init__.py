"""Floor 4: the training loops."""

from didact._core.optional import expect

expect("torch", "pydantic", "safetensors", "scipy", "tomli_w")

from didact.train.distilling.distill import distill, distill_from, resume
from didact.train.distilling.grid import (
    GridResult,
    distill_grid,
    is_grid,
    read_axis,
    resume_grid,
)
from didact.train.distilling.hooks import Step
from didact.train.distilling.ramp import Ramp
from didact.train.distilling.result import DistillResult
from didact.train.distilling.settings import DistillSettings
from didact.train.encoders.distill import distill_encoder, resume_encoder
from didact.train.encoders.load import (
    SentenceEncoder,
    is_on_sentences,
    load_encoder,
    predict_sentences,
)
from didact.train.encoders.settings import EncoderSettings
from didact.train.learning.learn import (
    LearnResult,
    continue_learning,
    learn,
    learn_from,
    resume_learning,
)
from didact.train.learning.learner import Learner
from didact.train.learning.load import load_learner
from didact.train.learning.partial import partial_summary
from didact.train.learning.settings import LearnSettings
from didact.train.loop.processes import LauncherName
from didact.train.predicting.predictor import (
    Prediction,
    Predictor,
    image_files,
    load_predictor,
)
from didact.train.record.interrupt import StoppedError
from didact.train.record.run_folder import RunFolder, read_toml
from didact.train.record.verify import Verified, verify_run
from didact.train.texts.distill import distill_text, resume_text
from didact.train.texts.finish import load_text_student
from didact.train.texts.settings import TextSettings

__all__ = [
    "DistillResult",
    "DistillSettings",
    "EncoderSettings",
    "GridResult",
    "LauncherName",
    "LearnResult",
    "LearnSettings",
    "Learner",
    "Prediction",
    "Predictor",
    "Ramp",
    "RunFolder",
    "SentenceEncoder",
    "Step",
    "StoppedError",
    "TextSettings",
    "Verified",
    "continue_learning",
    "distill",
    "distill_encoder",
    "distill_from",
    "distill_grid",
    "distill_text",
    "image_files",
    "is_grid",
    "is_on_sentences",
    "learn",
    "learn_from",
    "load_encoder",
    "load_learner",
    "load_predictor",
    "load_text_student",
    "partial_summary",
    "predict_sentences",
    "read_axis",
    "read_toml",
    "resume",
    "resume_encoder",
    "resume_grid",
    "resume_learning",
    "resume_text",
    "verify_run",
]
