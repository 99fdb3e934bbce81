"""From a run folder to ``report.html``."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from didact._core.atomic import replace_file
from didact._core.errors import RunFolderError
from didact._core.i18n import Language, choose_language
from didact.report.distilling.load import load_run
from didact.report.distilling.page import page
from didact.report.drawing.language import page_in_language
from didact.report.learning.load import is_learning_run
from didact.report.learning.page import learn_page
from didact.train.record.checkpoint import refused_if_malformed
from didact.train.record.run_folder import RESULT

REPORT = "report.html"
HERE = Path(__file__).parent


def render(run_folder: str | Path, *, language: Language | None = None) -> Path:
    """Write ``report.html`` into a run folder: one file that needs no other and no network.

    A run that is not finished gets a page too, which says so. The file appears whole or not at
    all: it is written under another name first.

    Args:
        run_folder: The folder that ``didact distill`` or ``didact learn`` wrote.
        language: Of the page; by default that of ``DIDACT_LANG`` or the locale.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: Not a run folder, a file of it is damaged, or it cannot be written.
    """
    folder = Path(run_folder).expanduser()
    with refused_if_malformed(folder / RESULT):
        html = to_html(folder, language or choose_language())
    target = folder / REPORT
    try:
        replace_file(target, html.encode("utf-8", "replace"))
    except OSError as error:
        raise RunFolderError(f"{target} cannot be written: {error.strerror or error}") from None
    return target


def to_html(folder: Path, language: Language = "en") -> str:
    """The page as text; everything that the user named is escaped."""
    return page_in_language(_english(folder), language)


def _english(folder: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    if is_learning_run(folder):
        return environment.get_template("learn.html.j2").render(style=style, **learn_page(folder))
    return environment.get_template("page.html.j2").render(style=style, **page(load_run(folder)))
