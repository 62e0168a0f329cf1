"""What holds of any text: no error, places that fit, and dates that come back as they were written."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skerry_workflows.scheduling.phrases import deadline, times, wish
from skerry_workflows.scheduling.phrases.language import CODES, lexicon
from tests.scheduling.phrases.reading import NOW, ZONE

_WORDS = {
    code: sorted({e.strip() for m in lexicon(code).language.words.values() for w in m.values() for e in w.split(",")})
    for code in CODES
}
_SIGNS = [
    "1",
    "2",
    "12",
    "30",
    "2027",
    "09",
    "-",
    "/",
    ".",
    ":",
    ",",
    "'",
    "(",
    ")",
    "\n",
    "\n\n",
    "10:30",
    "3/4",
    "½",
    "-1",
]
CODE = st.sampled_from(CODES)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[str, str]:
    """Words of one language's tables, and figures, in any order: far worse than what people write."""
    code = draw(CODE)
    parts = draw(st.lists(st.sampled_from(_WORDS[code]) | st.sampled_from(_SIGNS), max_size=9))
    return code, draw(st.sampled_from([" ", " ", " ", ""])).join(parts)


def _holds(text: str, code: str | None) -> None:
    end = 0
    for reading in times(text, NOW, ZONE, code):
        assert text[reading.begin : reading.stop] == reading.words
        assert end <= reading.begin < reading.stop
        end = reading.stop
        assert (reading.span is None) == (reading.kind in ("duration", "recurring"))
        assert (reading.length is not None) == (reading.kind == "duration")
        if reading.span and reading.span.start and reading.span.end:
            assert reading.span.start <= reading.span.end
        if reading.span:
            assert reading.span.start or reading.span.end
        assert reading.sure == (not reading.doubts)
        assert all(each.span != reading.span and each.reason for each in reading.alternatives)


@settings(max_examples=150, deadline=None)
@given(sentences())
@example(("en", "from 12 to 1 of 2027"))
def test_any_words(given_text: tuple[str, str]) -> None:
    code, text = given_text
    _holds(text, code)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.none() | CODE)
def test_any_text(text: str, code: str | None) -> None:
    _holds(text, code)


@settings(max_examples=40, deadline=None)
@given(sentences(), st.sampled_from(["let's meet ", "Termin ", "réunion avec ", "please reply by "]))
def test_any_request(given_text: tuple[str, str], before: str) -> None:
    text = before + given_text[1]
    found = wish(text, NOW, ZONE)
    if found is not None:
        assert bool(found.unclear) == bool(found.questions)
        for window in (*found.windows, *found.excluded):
            assert window.start is None or window.end is None or window.start <= window.end
    due = deadline(text, NOW, ZONE)
    assert due is None or due.due > NOW


DAYS = st.dates(dt.date(1950, 1, 1), dt.date(2090, 12, 31))


@pytest.mark.parametrize("code", ["en", "de", "fr", "es", "it", "pt", "nl"])
@settings(max_examples=25, deadline=None)
@given(day=DAYS, clock=st.times())
def test_a_written_date_comes_back(code: str, day: dt.date, clock: dt.time) -> None:
    month = lexicon(code).language.words["MONTH"][day.month].split(",")[0]
    link = {"es": " de ", "pt": " de "}.get(code, ". " if code == "de" else " ")
    for text in (f"{day.day}{link}{month}{link if link == ' de ' else ' '}{day.year}", day.isoformat()):
        (reading,) = times(f"{text} {clock:%H:%M}" if clock.hour > 12 else text, NOW, ZONE, code)
        assert reading.span is not None and reading.span.start is not None
        assert reading.span.start.date() == day, text
        if clock.hour > 12:
            assert reading.span.start.time() == clock.replace(second=0, microsecond=0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 400))
def test_so_many_days_from_now(days: int) -> None:
    (ahead,) = times(f"in {days} days", NOW, "UTC", "en")
    (back,) = times(f"{days} days ago", NOW, "UTC", "en")
    today = NOW.replace(hour=0, minute=0)
    assert ahead.span is not None and ahead.span.start == today + dt.timedelta(days=days)
    assert back.span is not None and back.span.start == today - dt.timedelta(days=days)


@pytest.mark.parametrize("piece", ["1 ", "one hour and ", "from 1 to ", "next ", "the first of ", "3. ", "10:", "in "])
def test_repeated_words_cost_what_they_are_long(piece: str) -> None:
    began = time.process_time()
    times(piece * 200, NOW, ZONE, "en")
    short = time.process_time() - began
    began = time.process_time()
    times(piece * 800, NOW, ZONE, "en")
    assert time.process_time() - began < 8 * short + 2
