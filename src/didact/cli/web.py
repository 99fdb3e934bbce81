"""``didact web``: the page over check and explain, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; another free one if it is taken.")
    ] = 8377,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open nothing.")
    ] = False,
    lang: Annotated[
        str | None, typer.Option("--lang", help="en or zh; that of the locale by default.")
    ] = None,
) -> None:
    """Open a page to paste distillation code into: what it does, and what is wrong with it.

    It is served to this machine alone; nothing leaves it. Ctrl-C ends it.

    For example: didact web --port 8000
    """
    import asyncio
    import webbrowser
    from contextlib import suppress

    from didact._core.i18n import Text, choose_language
    from didact._core.optional import require

    language = choose_language(lang)
    for module in ("starlette", "uvicorn"):
        require(module, extra="web")
    from didact.web.server import listening, serve

    sock = listening(port)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}/"
    says = Text(
        "didact web is at {address} (Ctrl-C ends it)",
        "didact web 已启动：{address}（按 Ctrl-C 结束）",
    )
    typer.echo(says.format(address=address).pick(language))
    if not no_browser:
        webbrowser.open(address)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(sock))
