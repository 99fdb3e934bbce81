"""The digits of scikit-learn: few labels, many unlabelled images."""

from didact.train import DistillSettings


def digits() -> DistillSettings:
    """A tenth of the labels, the same ones for the teacher and for both students.

    The teacher is a small convolutional network, the student a perceptron of a fortieth of its
    parameters. The student alone learns from the 115 labelled images; distilled, it also learns
    what the teacher thinks of the 1,035 others. Temperature, weight and learning rate were chosen
    on the validation split: see ``docs/results.md``.
    """
    return DistillSettings.build(
        data="digits",
        labelled=0.1,
        teacher=("cnn",),
        student="mlp-32",
        temperature=4.0,
        kd_weight=0.9,
        learning_rate=0.05,
        epochs=30,
        threads=1,
    )
