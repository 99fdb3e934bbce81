"""What the methods with a cosine classifier share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from didact._core.errors import ModelError
from didact.data import Task
from didact.methods.kit.base import Method
from didact.methods.kit.last_relu import drop_last_relu
from didact.methods.kit.nearest_mean import nearest_mean_scores
from didact.methods.kit.network import check_network, growing
from didact.nn import CosineHead, Teacher


class CosineMethod(Method):
    """A cosine classifier on features without the last ReLU; the teacher is the old network.

    Besides the classifier's answer there is that of the nearest mean of exemplars, ``"nme"``; where
    training images are mirrored, the means are those of exemplars and their mirror images.
    """

    distils = True
    exemplars = "herding"

    def grow(self, task: Task) -> None:
        """Give the classifier the task's new classes; the first time, make it a cosine one."""
        if task.index > 0:
            self.teacher = Teacher(self.network)
            self.head.grow(task.seen - task.known)
            return
        self.network = check_network(self.setting.build_network(task.seen))
        drop_last_relu(self.network, task.train.image_shape)
        width: int = self.network.classifier.in_features
        head = CosineHead(width, task.seen, proxies=self._proxies())
        self.network.classifier = head.to(self.setting.device)

    def _proxies(self) -> int:
        """How many vectors each class has."""
        return 1

    @property
    def head(self) -> CosineHead:
        """The classifier."""
        head = self.network.classifier
        if not isinstance(head, CosineHead):
            raise ModelError(f"the classifier is {type(head).__name__}; expected a CosineHead")
        return head

    def old_features(self, images: Tensor) -> Tensor:
        """The teacher's features."""
        if self.teacher is None:
            raise ModelError("there is no teacher in the first task")
        with torch.no_grad():
            return growing(self.teacher.model).features(images)

    @torch.no_grad()
    def put_old_vectors_back(self) -> None:
        """Undo what a step did to the vectors of old classes."""
        if self.teacher is not None:
            self.head.weight[: self.task.known] = growing(self.teacher.model).classifier.weight

    def after_task(self, task: Task) -> None:
        """Choose exemplars, and compute their classes' mean directions."""
        super().after_task(task)
        if len(self.memory):
            self.kept["means"] = self.mean_directions(
                self.memory.split(), task.seen, mirrored=self.trains_on_mirror_images()
            )

    def other_predictors(self) -> Mapping[str, Callable[[Tensor], Tensor]]:
        """The nearest mean of exemplars."""
        if "means" not in self.kept:
            return {}
        return {
            "nme": lambda images: nearest_mean_scores(self.features(images), self.kept["means"])
        }
