"""What the page may load (its own files, nothing from any other host), and its first file."""

from __future__ import annotations

from importlib.resources import files

_OWN = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
LOCAL = _OWN.format(wasm="") + "; frame-ancestors 'none'"
"""For the local server, which sends it as a header."""
STATIC = _OWN.format(wasm=" 'wasm-unsafe-eval'")
"""For the static site, where it stands in the page: Python there is WebAssembly."""


def index_page(backend: str, *, token: str = "", policy: str = "", home: str = "") -> str:
    """``index.html`` for a back end, with its token, and the policy where no header has it.

    ``home`` is the address of the documentation's first page, relative to this one, if the two
    stand together.
    """
    text = files("didact.web").joinpath("page", "index.html").read_text("utf-8")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n' if policy else ""
    text = text.replace("@BACKEND@", backend).replace("@TOKEN@", token).replace("@HOME@", home)
    return text.replace("@POLICY@\n", meta)
