"""The documentation as a site: ``make docs`` writes docs/_build/html."""

from __future__ import annotations

import re
from importlib.resources import files

from didact import __version__

project = "didact"
release = __version__
copyright = "the developers of didact"  # noqa: A001 - Sphinx's name for it

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_templates"]

html_theme = "furo"
html_title = "didact"
templates_path = ["_templates"]
html_context = {"with_page": tags.has("site")}  # Sphinx's own
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "try.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_static_path = ["_static"]
html_css_files = ["doors.css"]
html_js_files = [("filter.js", {"defer": "defer"})]


def _colours() -> list[dict[str, str]]:
    """The colours of the page of ``didact web``, light and dark, under Furo's names."""
    style = files("didact.web").joinpath("page/page.css").read_text("utf-8")
    names = {
        "paper": ("background-primary",),
        "card": ("background-secondary", "card-background", "inline-code-background"),
        "line": ("background-border", "card-border"),
        "ink": ("foreground-primary",),
        "soft": ("foreground-secondary", "foreground-muted"),
        "accent": ("brand-primary", "brand-content", "brand-visited"),
    }
    return [
        {
            f"color-{name}": value
            for own, value in re.findall(r"--([\w-]+): (#\w+)", block)
            for name in names.get(own, ())
        }
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]


_light, _dark = _colours()
html_theme_options = {"light_css_variables": _light, "dark_css_variables": _dark}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # links such as check.md#formats

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # fields of named tuples are members already
