"""The classic student project, as the baseline: locate, cut, recognise, each by hand-made rules.

``ClassicSystem`` takes a photograph and gives plates as the other finder does: colour, edges and
morphology locate, Otsu's threshold and contours cut, gradients (HOG) and an RBF SVM recognise.
Needs OpenCV and scikit-learn; knows nothing of the reader.
"""

from didact_plates.classic.cutting import CHARACTER, cut_characters
from didact_plates.classic.locating import locate
from didact_plates.classic.recognising import Recogniser, gradients
from didact_plates.classic.system import ClassicSystem

__all__ = ["CHARACTER", "ClassicSystem", "Recogniser", "cut_characters", "gradients", "locate"]
