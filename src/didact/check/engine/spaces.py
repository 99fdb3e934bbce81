"""The vocabulary of the inference: what kind of numbers, whose, and with gradient or not."""

from __future__ import annotations

from enum import StrEnum

from didact._core.i18n import Text


class Space(StrEnum):
    """What kind of numbers (or what kind of object) an expression holds."""

    LOGITS = "logits"
    OUTPUT = "output"
    """What a model returned: logits, unless the model normalises inside."""
    LOG_PROBS = "log_probs"
    PROBS = "probs"
    SIGMOID_PROBS = "sigmoid_probs"
    LABELS = "labels"
    ONE_HOT = "one_hot"
    MIXED = "mixed"
    """One-hot labels with logits pasted into some columns."""
    LOSS = "loss"
    FEATURES = "features"
    MASK = "mask"
    MODEL = "model"
    CRITERION = "criterion"
    OPTIMIZER = "optimizer"
    SCALAR = "scalar"
    NONE = "none"
    FUNCTION = "function"
    UNKNOWN = "unknown"

    @property
    def text(self) -> Text:
        """Its name for people."""
        return _TEXTS[self]


class Role(StrEnum):
    """Whose numbers they are."""

    STUDENT = "student"
    TEACHER = "teacher"
    """The teacher, or the old model of class-incremental learning."""
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """Why something is believed of a value."""

    NAME = "name"
    """A variable, a parameter or a key is called so; another author may mean another thing."""
    OPERATION = "operation"
    """An operation makes it so: what comes out of a softmax are probabilities."""
    MODEL = "model"
    """It was computed by a model, and is that model's whatever it is called later."""


class Grad(StrEnum):
    """Whether a gradient flows back through the value."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


_TEXTS = {
    Space.LOGITS: Text("logits", "logits（未归一化的分数）"),
    Space.OUTPUT: Text("a model's output", "模型输出"),
    Space.LOG_PROBS: Text("log-probabilities", "对数概率"),
    Space.PROBS: Text("probabilities", "概率"),
    Space.SIGMOID_PROBS: Text("sigmoid probabilities", "sigmoid 概率"),
    Space.LABELS: Text("class indices", "类别下标"),
    Space.ONE_HOT: Text("one-hot labels", "one-hot 标签"),
    Space.MIXED: Text("one-hot labels and logits in one tensor", "one-hot 标签与 logits 混在一起"),
    Space.LOSS: Text("a loss", "损失"),
    Space.FEATURES: Text("features", "特征"),
    Space.MASK: Text("a mask", "掩码"),
    Space.MODEL: Text("a model", "模型"),
    Space.CRITERION: Text("a criterion", "损失函数对象"),
    Space.OPTIMIZER: Text("an optimizer", "优化器"),
    Space.SCALAR: Text("a number", "标量"),
    Space.NONE: Text("None", "None"),
    Space.FUNCTION: Text("a function", "函数"),
    Space.UNKNOWN: Text("unknown", "未知"),
}

NORMALISED = frozenset({Space.PROBS, Space.LOG_PROBS})
"""The spaces of a categorical distribution."""
RAW = frozenset({Space.LOGITS, Space.OUTPUT})
"""The spaces of scores that nothing has normalised yet."""
