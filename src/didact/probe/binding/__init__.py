"""Which parameter of somebody's loss is the student, the teacher, the labels, a setting.

In comes a callable. Calls ``inputs``.
"""
