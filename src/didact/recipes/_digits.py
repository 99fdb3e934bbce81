"""The digits of scikit-learn: few labels, many unlabelled images."""

from didact.train import DistillSettings


def digits() -> DistillSettings:
    """A tenth of the labels for teacher and student alike; the teacher labels the rest softly.

    Chosen on the validation split: see ``docs/results.md``.
    """
    return DistillSettings.build(
        data="digits",
        labelled=0.1,
        teacher=("cnn",),
        student="mlp",
        temperature=4.0,
        kd_weight=0.9,
        learning_rate=0.05,
        epochs=40,
        threads=1,
    )
