"""Tasks one after another: classes, domains, blurred borders, uneven classes.

In come splits. Calls ``splits``.
"""
