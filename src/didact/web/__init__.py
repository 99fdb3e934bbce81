"""Floor 6, beside the command line: the page over ``check`` and ``explain``.

``answer`` turns a paste into plain data with the standard library alone, so that it also runs in a
browser; ``server`` serves the page on this machine (extra ``[web]``); ``page/`` is the front end,
which knows both back ends; ``site`` writes it as a static site.
"""
