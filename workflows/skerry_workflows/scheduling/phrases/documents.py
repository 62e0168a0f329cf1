"""The date of a document's field, where the whole text is a date; in more languages than there are tables here."""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from typing import Final, Protocol, cast

from skerry_workflows.scheduling.phrases.conventions import Conventions
from skerry_workflows.scheduling.phrases.reader import read
from skerry_workflows.scheduling.phrases.resolve import zone_of

DOCUMENT: Final = Conventions(prefer="past")
"""A document's date is rather past than future."""
_TEXT_MAX = 100


class _Dateparser(Protocol):
    def parse(self, date_string: str, *, settings: dict[str, object]) -> dt.datetime | None: ...


def date_in(text: str, now: dt.datetime, zone: str) -> dt.datetime | None:
    """The instant that the whole of a short text names; None where it names none.

    What the tables here do not know is given to dateparser, where that is installed.

    Raises:
        ValueError: `now` has no zone, or `zone` is not known.
    """
    text = text.strip()
    for reading in read(text, now, zone, conventions=DOCUMENT):
        if reading.span and reading.span.start and reading.words == text:
            return reading.span.start
    if len(text) > _TEXT_MAX or importlib.util.find_spec("dateparser") is None:
        return None
    parser = cast(_Dateparser, importlib.import_module("dateparser"))
    local = now.astimezone(zone_of(zone)).replace(tzinfo=None)
    found = parser.parse(text, settings={"RELATIVE_BASE": local, "REQUIRE_PARTS": ["day", "month"], "TIMEZONE": zone})
    return found.replace(tzinfo=zone_of(zone)) if found else None
