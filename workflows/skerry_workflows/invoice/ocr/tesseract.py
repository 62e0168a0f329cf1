"""Tesseract, loaded as a library: where the program is, its library is, and Leptonica, which opens pictures.

The program itself cannot be run from here: untrusted files are opened in a process that may not start others
(`skerry_workers.confine`). What is called is the C API of Tesseract 4 and 5 (tesseract/capi.h) and of Leptonica
(leptonica/allheaders.h).
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

from skerry_workflows.invoice.read_text import clean
from skerry_workflows.invoice.unreadable import Unreadable

_TESSERACT: Final = ("libtesseract.so.5", "libtesseract.so.4", "libtesseract.5.dylib", "libtesseract.4.dylib")
_LEPTONICA: Final = (
    "liblept.so.5",
    "libleptonica.so.6",
    "libleptonica.so.5",
    "libleptonica.6.dylib",
    "liblept.5.dylib",
)
_INSTALL: Final = (
    "install it (Debian and Ubuntu: apt install tesseract-ocr tesseract-ocr-deu, macOS: brew install tesseract), "
    "restart, and send the file again; or a person has to type it in"
)
_NOT_LANGUAGES: Final = ("osd", "equ")
# Of several installed languages, those that invoices are likeliest in; each one more takes a third more time.
_PREFERRED: Final = ("eng", "deu", "fra", "ita", "spa", "nld", "por", "pol")
_LANGUAGES_MAX: Final = 4
_PAGE: Final = 3
"""Tesseract's page segmentation "fully automatic"."""


class Read(NamedTuple):
    """A word with its box in pixels, and how sure Tesseract is of it, from 0 to 100."""

    text: str
    left: int
    top: int
    width: int
    height: int
    confidence: float
    line: tuple[int, int, int]
    """Which block, paragraph and line of the page it is in."""

    @property
    def middle(self) -> float:
        """Of its height."""
        return self.top + self.height / 2

    def scaled(self, factor: float) -> Read:
        """The same on a picture of `factor` times the size."""
        left, top, width, height = (round(n * factor) for n in (self.left, self.top, self.width, self.height))
        return self._replace(left=left, top=top, width=width, height=height)

    def cleaned(self) -> Read:
        """The same with its text as `read_text.clean` would make it."""
        return self._replace(text="".join(clean(self.text).split()))


class Missing(Unreadable):
    """Something that reads pictures is not installed; the message says what and how to install it."""

    def __init__(self, what: str, hint: str = _INSTALL) -> None:
        super().__init__(f"this is a picture, and {what} is not installed, without which none is read", hint=hint)


class Pix:
    """A picture in Leptonica's memory, greyscale."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __enter__(self) -> Pix:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _leptonica().pixDestroy(byref(c_void_p(self.handle)))

    @property
    def width(self) -> int:
        """In pixels."""
        return int(_leptonica().pixGetWidth(self.handle))

    @property
    def height(self) -> int:
        """In pixels."""
        return int(_leptonica().pixGetHeight(self.handle))

    def scaled(self, factor: float) -> Pix:
        """Another one of `factor` times its size."""
        return _pix(_leptonica().pixScale(self.handle, c_float(factor), c_float(factor)))

    def turned(self, quarters: int) -> Pix:
        """Another one, turned clockwise by so many quarters of a circle."""
        return _pix(_leptonica().pixRotateOrth(self.handle, quarters))


def decode(data: bytes, pixels_max: int) -> Pix:
    """A PNG, JPEG, TIFF (its first page), BMP, GIF or PNM file as a greyscale picture, straightened.

    Raises:
        Missing: Tesseract is not installed.
        Unreadable: it is none of these, is damaged, or has more than `pixels_max` pixels.
    """
    leptonica = _leptonica()
    form, width, height, bits, samples, mapped = (c_int() for _ in range(6))
    head = (byref(form), byref(width), byref(height), byref(bits), byref(samples), byref(mapped))
    known = not leptonica.pixReadHeaderMem(data, len(data), *head)
    if known and width.value * height.value > pixels_max:
        raise Unreadable(
            f"this picture has {width.value} x {height.value} pixels, more than are read", hint="send a smaller one"
        )
    with _pix(leptonica.pixReadMem(data, len(data)) if known else None) as pix:
        opaque = _pix(leptonica.pixRemoveAlpha(pix.handle))
        with opaque, _pix(leptonica.pixConvertTo8(opaque.handle, 0)) as grey:
            return _pix(leptonica.pixDeskew(grey.handle, 0))  # 0: at its default resolution


def _pix(handle: int | None) -> Pix:
    if not handle:
        raise Unreadable("this picture is damaged, or of a kind that is not read", hint="send it as PNG, JPEG or PDF")
    return Pix(handle)


class Tesseract:
    """Tesseract with the installed languages loaded. Not for use by several threads.

    Raises:
        Missing: it is not installed, or has no languages.
    """

    def __init__(self) -> None:
        # One core for one document: its threads win little and would each count towards the limits.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        self._api = _tesseract()
        self._handle: int = self._api.TessBaseAPICreate()
        self.languages = _languages(self._api, self._handle)
        if self._api.TessBaseAPIInit3(self._handle, None, "+".join(self.languages).encode()):
            raise Missing("the language data of Tesseract")
        self._api.TessBaseAPISetPageSegMode(self._handle, _PAGE)
        self._api.TessBaseAPISetVariable(self._handle, b"debug_file", os.devnull.encode())

    def __enter__(self) -> Tesseract:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._api.TessBaseAPIDelete(self._handle)

    def words(self, pix: Pix, dots_per_inch: int) -> list[Read]:
        """Every word on a picture, in Tesseract's reading order."""
        api, handle = self._api, self._handle
        api.TessBaseAPISetImage2(handle, pix.handle)
        api.TessBaseAPISetSourceResolution(handle, dots_per_inch)
        text = api.TessBaseAPIGetTsvText(handle, 0)
        if not text:
            return []
        try:
            table = ctypes.string_at(text).decode("utf-8", "replace")
        finally:
            api.TessDeleteText(c_void_p(text))
            api.TessBaseAPIClear(handle)
        return list(_rows(table))


def _rows(table: str) -> Iterator[Read]:
    """The words of Tesseract's TSV: level (5: a word), page, block, paragraph, line, word, box, confidence, text."""
    for row in table.splitlines():
        level, _, block, paragraph, line, _, left, top, width, height, confidence, text = [*row.split("\t", 11), ""][
            :12
        ]
        if level == "5" and text.strip():
            box = (int(left), int(top), int(width), int(height))
            yield Read(text.strip(), *box, float(confidence), (int(block), int(paragraph), int(line)))


def _languages(api: Any, handle: int) -> tuple[str, ...]:
    """The installed languages; the likeliest ones first, and no more than are worth their time."""
    if api.TessBaseAPIInit3(handle, None, b"eng") and api.TessBaseAPIInit3(handle, None, None):
        raise Missing("the language data of Tesseract")
    vector = api.TessBaseAPIGetAvailableLanguagesAsVector(handle)
    names: list[str] = []
    while vector and (name := vector[len(names)]) is not None:
        names.append(name.decode())
    api.TessDeleteTextArray(vector)
    found = [n for n in names if n not in _NOT_LANGUAGES and "/" not in n]
    found.sort(key=lambda n: (_PREFERRED.index(n) if n in _PREFERRED else len(_PREFERRED), n))
    return tuple(found[:_LANGUAGES_MAX])


# --- the libraries ----------------------------------------------------------------------------------------------------


@cache
def _tesseract() -> Any:
    api = _load(_TESSERACT)
    if api is None:
        raise Missing("Tesseract")
    for name, result, arguments in (
        ("TessBaseAPICreate", c_void_p, []),
        ("TessBaseAPIDelete", None, [c_void_p]),
        ("TessBaseAPIInit3", c_int, [c_void_p, c_char_p, c_char_p]),
        ("TessBaseAPIGetAvailableLanguagesAsVector", POINTER(c_char_p), [c_void_p]),
        ("TessDeleteTextArray", None, [POINTER(c_char_p)]),
        ("TessBaseAPISetPageSegMode", None, [c_void_p, c_int]),
        ("TessBaseAPISetVariable", c_int, [c_void_p, c_char_p, c_char_p]),
        ("TessBaseAPISetImage2", None, [c_void_p, c_void_p]),
        ("TessBaseAPISetSourceResolution", None, [c_void_p, c_int]),
        ("TessBaseAPIGetTsvText", c_void_p, [c_void_p, c_int]),
        ("TessDeleteText", None, [c_void_p]),
        ("TessBaseAPIClear", None, [c_void_p]),
    ):
        _declare(api, name, result, arguments)
    return api


@cache
def _leptonica() -> Any:
    api = _load(_LEPTONICA)
    if api is None:
        raise Missing("Tesseract")
    for name, result, arguments in (
        ("pixReadHeaderMem", c_int, [c_char_p, c_size_t, *[POINTER(c_int)] * 6]),
        ("pixReadMem", c_void_p, [c_char_p, c_size_t]),
        ("pixRemoveAlpha", c_void_p, [c_void_p]),
        ("pixConvertTo8", c_void_p, [c_void_p, c_int]),
        ("pixDeskew", c_void_p, [c_void_p, c_int]),
        ("pixScale", c_void_p, [c_void_p, c_float, c_float]),
        ("pixRotateOrth", c_void_p, [c_void_p, c_int]),
        ("pixGetWidth", c_int, [c_void_p]),
        ("pixGetHeight", c_int, [c_void_p]),
        ("pixDestroy", None, [POINTER(c_void_p)]),
        ("setMsgSeverity", c_int, [c_int]),
    ):
        _declare(api, name, result, arguments)
    api.setMsgSeverity(6)  # L_SEVERITY_NONE: what is wrong with a file is in our message
    return api


def _declare(api: ctypes.CDLL, name: str, result: Any, arguments: list[Any]) -> None:
    function = getattr(api, name)
    function.restype, function.argtypes = result, arguments


def _load(names: tuple[str, ...]) -> ctypes.CDLL | None:
    """A library by its usual names; else beside the program, where another package manager has put both."""
    for name in names:
        for path in (name, *_beside_program(name)):
            try:
                return ctypes.CDLL(path)
            except OSError:
                continue
    return None


def _beside_program(name: str) -> Iterator[str]:
    program = shutil.which("tesseract")
    if program:
        for folder in (Path(program).parent, Path(program).resolve().parent):
            yield str(folder.parent / "lib" / name)
