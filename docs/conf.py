"""The documentation as a site: ``make docs`` writes docs/_build/html."""

from __future__ import annotations

from didact import __version__

project = "didact"
release = __version__
copyright = "the developers of didact"  # noqa: A001 - Sphinx's name for it

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "didact"
html_static_path = ["_static"]
html_css_files = ["doors.css"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # links such as check.md#formats

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # fields of named tuples are members already
