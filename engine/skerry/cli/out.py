"""The one module of the command line that writes: to people as tables and sentences, to programs as JSON.

On stdout is what was asked for, and nothing else; progress, notes and errors go to stderr. Colours and boxes are for
terminals; what is piped is plain, one row a line. Nothing is wrapped or cut there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TextIO, TypeAlias

import msgspec

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

GAP = "  "
_SAME_LINE_CHARS = 60


class Cell(NamedTuple):
    """A text with a style of rich's ("green", "bold red"), and more about it, which is shown less loud."""

    text: str
    style: str = ""
    more: str = ""


def harmless(text: str) -> str:
    """Text in which nothing steers a terminal: names in documents are written by strangers.

    Control characters (but for tabs and line ends) become the replacement character; so do the ones that turn the
    direction of writing around.
    """
    return text.translate(_STEERING)


_STEERING = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(32), *range(127, 160), 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if code not in (9, 10)
}


class Column(NamedTuple):
    """A column of a table. `wrap`: on a terminal its text goes on in the next line; other columns keep their width."""

    title: str
    align: Literal["left", "right"] = "left"
    wrap: bool = False


Row: TypeAlias = Sequence[str | Cell]


class Advance(Protocol):
    """Tells a progress bar how much is done, of how much."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


class Out:
    """Where a command's words go. With `json`, `table` and `line` are silent, and `record` writes."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        for stream in (sys.stdout, sys.stderr):
            _never_fail(stream)

    # --- for programs -------------------------------------------------------------------------------------------------

    def record(self, value: Any) -> None:
        """One JSON document, in one line, if JSON is wanted."""
        if self.json:
            self._write(sys.stdout, msgspec.json.encode(value, enc_hook=str).decode())

    # --- for people ---------------------------------------------------------------------------------------------------

    def line(self, text: str | Cell = "") -> None:
        """A line, if people read."""
        if not self.json:
            self._say(sys.stdout, text)

    def table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """A table, if people read."""
        if self.json:
            return
        if pretty(sys.stdout):
            self.console(sys.stdout).print(rich_table(columns, rows))
        else:
            for text in plain_table(columns, rows):
                self._write(sys.stdout, text)

    def print(self, renderable: RenderableType) -> None:
        """Something of rich's, on a terminal."""
        self.console(sys.stdout).print(renderable)

    @property
    def pretty(self) -> bool:
        """Whether people read this on a terminal."""
        return not self.json and pretty(sys.stdout)

    def raw(self, text: str) -> None:
        """Text as it is, whoever reads."""
        self._write(sys.stdout, text)

    # --- on stderr ----------------------------------------------------------------------------------------------------

    def note(self, text: str | Cell) -> None:
        """Something on the side."""
        self._say(sys.stderr, text)

    def error(self, message: str, hint: str = "") -> None:
        """What went wrong, and what to do next."""
        self._labelled("error", "bold red", message)
        if hint:
            self._labelled("hint", "bold cyan", hint)

    @contextmanager
    def progress(self, what: str) -> Generator[Advance, None, None]:
        """A bar on stderr while something long goes on; nothing where nobody watches."""
        if not pretty(sys.stderr):
            yield lambda done, total=None: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*parts, console=self.console(sys.stderr), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total=None: bar.update(task, completed=done, total=total)

    @contextmanager
    def waiting(self, what: str) -> Generator[None, None, None]:
        """A spinner on stderr while one waits."""
        if not pretty(sys.stderr):
            yield
            return
        with self.console(sys.stderr).status(what):
            yield

    # --- inside -------------------------------------------------------------------------------------------------------

    def _labelled(self, label: str, style: str, text: str) -> None:
        if pretty(sys.stderr):
            from rich.text import Text

            self.console(sys.stderr).print(Text.assemble((f"{label}: ", style), harmless(text)), soft_wrap=True)
        else:
            self._write(sys.stderr, harmless(f"{label}: {text}"))

    def _say(self, stream: TextIO, text: str | Cell) -> None:
        cell = Cell(text) if isinstance(text, str) else text
        if cell.style and pretty(stream):
            from rich.text import Text

            self.console(stream).print(Text(harmless(cell.text), style=cell.style))
        else:
            self._write(stream, harmless(cell.text))

    def _write(self, stream: TextIO, text: str) -> None:
        print(text, file=stream, flush=True)

    def console(self, stream: TextIO) -> Console:
        """rich's console for a stream."""
        from rich.console import Console

        return Console(file=stream, highlight=False, emoji=False, markup=False)


def pretty(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can show more than text."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def plain_table(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a table in plain text, columns aligned."""
    lines = [[column.title for column in columns], *([_one_line(_text(cell)) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        cells = (
            text.rjust(width) if column.align == "right" else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        )
        yield GAP.join(cells).rstrip()


def rich_table(columns: Sequence[Column], rows: Iterable[Row]) -> Table:
    """The same for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_edge=False,
        header_style="dim",
        border_style="dim",
    )
    for column in columns:
        # Only wide columns give way on a narrow terminal.
        table.add_column(
            column.title, justify=column.align, no_wrap=not column.wrap, overflow="fold" if column.wrap else "ellipsis"
        )
    for row in rows:
        table.add_row(*(_rich_text(cell) for cell in row))
    return table


def _rich_text(cell: str | Cell) -> Text:
    from rich.text import Text

    if isinstance(cell, str):
        return Text(harmless(cell))
    text, more = harmless(cell.text), harmless(cell.more)
    if not more:
        return Text(text, style=cell.style)
    # What is long begins a line of its own.
    fits = len(text) + len(more) <= _SAME_LINE_CHARS
    return Text.assemble((text, cell.style), (f" ({more})" if fits else f"\n{more}", "dim"))


def _text(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return harmless(cell)
    return harmless(f"{cell.text} ({cell.more})" if cell.more else cell.text)


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def _never_fail(stream: TextIO) -> None:
    """A terminal that knows few characters gets question marks, not a traceback."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
