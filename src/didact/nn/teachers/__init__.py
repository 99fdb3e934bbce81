"""Teachers that stay frozen, taps into layers, adapters between student and teacher.

In come modules. Calls ``inspection``.
"""
