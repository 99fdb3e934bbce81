"""What a run has trained answers for images: names and probabilities.

In come a run folder or a model's file, and image files. Calls ``learning`` and ``record``.
"""
