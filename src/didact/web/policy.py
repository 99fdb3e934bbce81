"""What the page may load: its own files, and nothing from any other host."""

from __future__ import annotations

_OWN = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
LOCAL = _OWN.format(wasm="") + "; frame-ancestors 'none'"
"""For the local server, which sends it as a header."""
STATIC = _OWN.format(wasm=" 'wasm-unsafe-eval'")
"""For the static site, where it stands in the page: Python there is WebAssembly."""
