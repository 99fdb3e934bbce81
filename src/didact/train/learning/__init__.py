"""``didact learn``: new classes task after task, the old model as the teacher.

In come settings, a stream of tasks and a method. Calls ``loop`` and ``record``.
"""
