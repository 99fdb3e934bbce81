"""The page on the loopback address: drop a photograph, see its plates.

``server`` answers the page and its one call, for the user's own browser alone; ``page.html``,
``page.css`` and ``page.js`` are the page. Calls the finder; nothing leaves the machine.
"""
