"""A small window: photographs one after the other, their plates outlined, cut out and read."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Sequence
from pathlib import Path
from tkinter import filedialog

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageTk

from didact_plates.drawing import drawn
from didact_plates.errors import PictureError, PlatesError
from didact_plates.finding import Finder, Plate
from didact_plates.locate import Image
from didact_plates.photographs import PICTURES, open_picture
from didact_plates.texts import say

SWIPE = 60
"""Pixels over which the photograph is dragged to go to the next one."""
CROP = (300, 96)
GROUND, INK, SOFT, LINE = "#f6f5f1", "#22211f", "#66625a", "#d9d6cd"
PLATE_COLOURS = {"blue": "#1d4f9e", "yellow": "#d9a514", "green": "#3f9a57",
                 "white": "#e9e9e6", "black": "#26241f"}  # fmt: skip


class Window:
    """The window, before :meth:`run`.

    Args:
        finder: What finds and reads plates.
        files: Photographs to begin with.

    Raises:
        PlatesError: There is no display.

    Attributes:
        root: The Tk root.
        files: The photographs to go through.
        place: Which of them is shown.
        plates: Those of the photograph that is shown.
    """

    def __init__(self, finder: Finder, files: Sequence[Path] = ()) -> None:
        try:
            self.root = tk.Tk()
        except tk.TclError:
            text = say("there is no display to open a window on; use: didact-plates page")
            raise PlatesError(text) from None
        self.finder = finder
        self.files: list[Path] = []
        self.place = 0
        self.plates: list[Plate] = []
        self._photograph: PillowImage.Image | None = None
        self._kept: list[ImageTk.PhotoImage] = []
        self._pressed: int | None = None
        self._size = (0, 0)
        self._build()
        self.show(files)

    def run(self) -> None:
        """Show it until it is closed."""
        self.root.mainloop()

    def _build(self) -> None:
        root = self.root
        root.title("didact-plates")
        root.geometry("1120x680")
        root.minsize(640, 420)
        root.configure(background=GROUND)
        bar = tk.Frame(root, background=GROUND)
        bar.pack(fill="x", padx=12, pady=(10, 6))
        for text, action in (
            (say("Open ..."), self.choose),
            (say("Back"), lambda: self.step(-1)),
            (say("Next"), lambda: self.step(1)),
        ):
            tk.Button(bar, text=text, command=action).pack(side="left", padx=(0, 6))
        self.status = tk.StringVar(root)
        tk.Label(
            bar, textvariable=self.status, anchor="w", background=GROUND, foreground=SOFT
        ).pack(side="left", fill="x", padx=8)
        body = tk.Frame(root, background=GROUND)
        body.pack(fill="both", expand=True, padx=12, pady=(0, 12))
        self.side = tk.Frame(body, width=330, background=GROUND)
        self.side.pack(side="right", fill="y", padx=(12, 0))
        self.side.pack_propagate(False)
        self.canvas = tk.Canvas(body, background="#2b2a27", highlightthickness=0)
        self.canvas.pack(side="left", fill="both", expand=True)
        self.canvas.bind("<Configure>", self._resized)
        self.canvas.bind("<ButtonPress-1>", self._press)
        self.canvas.bind("<ButtonRelease-1>", self._release)
        for key, follow in (
            ("<Left>", lambda _: self.step(-1)),
            ("<Right>", lambda _: self.step(1)),
            ("<space>", lambda _: self.step(1)),
            ("<Control-o>", lambda _: self.choose()),
            ("<Escape>", lambda _: self.root.destroy()),
        ):
            root.bind(key, follow)

    def choose(self) -> None:
        """Ask for photographs."""
        endings = " ".join(f"*{suffix}" for suffix in PICTURES)
        kinds = [(say("Photographs"), endings), (say("All files"), "*")]
        names = filedialog.askopenfilenames(parent=self.root, filetypes=kinds)
        if names:
            self.show([Path(name) for name in names])

    def show(self, files: Sequence[Path]) -> None:
        """Begin with the first of some photographs; a folder stands for those in it."""
        self.files = []
        for path in files:
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
            self.files += [p for p in inside if p == path or p.suffix.lower() in PICTURES]
        self.place = 0
        self._read()

    def step(self, by: int) -> None:
        """Go to another photograph, round the ends."""
        if self.files:
            self.place = (self.place + by) % len(self.files)
            self._read()

    def _read(self) -> None:
        self.plates, self._photograph = [], None
        if not self.files:
            self.status.set(say("Open photographs, or drag and use the arrow keys to go along."))
            self._paint()
            return
        path = self.files[self.place]
        head = f"{self.place + 1}/{len(self.files)}  {path.name}"
        try:
            image, _ = open_picture(path)
        except PictureError as error:
            self.status.set(f"{head}  {error}")
            self._paint()
            return
        start = time.perf_counter()
        self.plates = self.finder.find(image)
        milliseconds = 1000 * (time.perf_counter() - start)
        took = say("{milliseconds} ms", milliseconds=f"{milliseconds:.0f}")
        none = "" if self.plates else f"  {say('no plate was found')}"
        self.status.set(f"{head}{none}  {took}")
        self._photograph = drawn(image, self.plates)
        self._paint()

    def _paint(self) -> None:
        self._kept = []
        self.canvas.delete("all")
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        if self._photograph is not None and min(width, height) > 10:
            scale = min(width / self._photograph.width, height / self._photograph.height, 2.0)
            size = (max(round(self._photograph.width * scale), 1),
                    max(round(self._photograph.height * scale), 1))  # fmt: skip
            shown = self._keep(self._photograph.resize(size))
            self.canvas.create_image(width // 2, height // 2, image=shown)
        for child in self.side.winfo_children():
            child.destroy()
        for plate in self.plates:
            self._card(plate)

    def _card(self, plate: Plate) -> None:
        """One plate on the right: cut out, its text, colour and confidence."""
        card = tk.Frame(
            self.side, background="white", highlightbackground=LINE, highlightthickness=1
        )
        card.pack(fill="x", pady=(0, 10))
        tk.Frame(card, background=PLATE_COLOURS[plate.colour], width=8).pack(side="left", fill="y")
        inner = tk.Frame(card, background="white")
        inner.pack(side="left", fill="x", padx=10, pady=8)
        tk.Label(inner, image=self._keep(_fitted(plate.crop)), background="white").pack(anchor="w")
        tk.Label(inner, text=plate.text, font=("TkDefaultFont", 20, "bold"),
                 background="white", foreground=INK).pack(anchor="w")  # fmt: skip
        rows = say("two rows") if plate.rows == 2 else ""
        line = "  ".join(filter(None, (say(plate.colour), rows, f"{plate.confidence:.1%}")))
        tk.Label(inner, text=line, background="white", foreground=SOFT).pack(anchor="w")

    def _keep(self, picture: PillowImage.Image) -> ImageTk.PhotoImage:
        """Tk shows a picture only as long as somebody holds it."""
        shown = ImageTk.PhotoImage(picture, master=self.root)
        self._kept.append(shown)
        return shown

    def _resized(self, event: tk.Event[tk.Canvas]) -> None:
        if (event.width, event.height) != self._size:
            self._size = (event.width, event.height)
            self._paint()

    def _press(self, event: tk.Event[tk.Canvas]) -> None:
        self._pressed = event.x

    def _release(self, event: tk.Event[tk.Canvas]) -> None:
        if self._pressed is not None and abs(event.x - self._pressed) >= SWIPE:
            self.step(-1 if event.x > self._pressed else 1)
        self._pressed = None


def _fitted(crop: Image) -> PillowImage.Image:
    picture = PillowImage.fromarray(np.ascontiguousarray(crop[:, :, ::-1]))
    scale = min(CROP[0] / picture.width, CROP[1] / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, PillowImage.Resampling.BICUBIC)
