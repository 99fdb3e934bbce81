"""``didact-plates page``: a page to drop photographs on, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact_plates.cli.help import Lang


def command(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; another free one if it is taken.")
    ] = 8378,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open nothing.")
    ] = False,
    model: Annotated[
        Path | None, typer.Option(help="A folder of models that didact-plates train wrote.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Open a page to drop photographs on, which shows their plates.

    It is served to this machine alone; nothing leaves it. Ctrl-C ends it.
    """
    import asyncio
    import webbrowser
    from contextlib import suppress
    from importlib.util import find_spec

    from didact_plates.errors import PlatesError
    from didact_plates.models import finder
    from didact_plates.texts import say, speak

    speak(lang)
    for module in ("starlette", "uvicorn"):
        if find_spec(module) is None:
            missing = "{module} is not installed. Install it with: pip install {package}"
            raise PlatesError(say(missing, module=module, package='"didact-plates[page]"'))
    from didact_plates.page.server import listening, serve

    find = finder(model)
    sock = listening(port)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}/"
    typer.echo(say("didact-plates page is at {address} (Ctrl-C ends it)", address=address))
    if not no_browser:
        webbrowser.open(address)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(sock, find))
