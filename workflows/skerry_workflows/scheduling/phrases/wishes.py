"""A message into the meeting it asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from skerry_workflows.scheduling.phrases.conventions import Conventions
from skerry_workflows.scheduling.phrases.language import Lexicon, detect, lexicon
from skerry_workflows.scheduling.phrases.lexer import Token, readable, tokenize
from skerry_workflows.scheduling.phrases.model import Length, MeetingWish, Reading, Series, Span, Window
from skerry_workflows.scheduling.phrases.people import people_in, place_in
from skerry_workflows.scheduling.phrases.questions import ask
from skerry_workflows.scheduling.phrases.quoted import new_text
from skerry_workflows.scheduling.phrases.reader import read
from skerry_workflows.scheduling.phrases.series import begins, lasts, recurring_in, series_of

_READINGS_MAX = 60  # times that are looked at in one message
_EXCLUDED_MAX = 20  # of those, times that are excluded
_FINE = ("second", "minute", "hour")
_DAY = dt.timedelta(days=1)
_NEAR, _NEAR_ASK = 300, 60  # characters between a time, or a request, and a word for meeting
_ASKING = ("MEET", "PROPOSE")  # kinds of words without which no meeting is asked for
_DAYS_MAX = 62  # of a window that is looked through day by day
_WINDOWS_MAX = 40
# "Not Friday", read on each day of a window: that day itself counts.
_ON_THE_DAY = Conventions(same_weekday="today")
_LONG = dt.timedelta(hours=9)  # "half a day", as a length of hours, is rather asked about
_LONGEST_MEETING = dt.timedelta(hours=4)


def read_wish(text: str, now: dt.datetime, zone: str, language: str | None = None) -> MeetingWish | None:
    """As `wish` of this package says."""
    written = new_text(text)
    visible = readable(written)
    tokens = tokenize(visible)
    words = lexicon(language or detect(tokens))
    if not any(said(words, tokens, kind) for kind in _ASKING):
        return None
    readings = spread_negation(read(visible, now, zone, words.language.code), visible, words)
    wish = _Wisher(visible, tokens, words, now, zone, readings[:_READINGS_MAX]).wish()
    if wish is None or (visible == written and len(readings) <= _READINGS_MAX):
        return wish
    return msgspec.structs.replace(
        wish,
        unclear=(*wish.unclear, "the message is longer than what is read"),
        questions=(*wish.questions, ask("cut", words.language.code)),
    )


def said(words: Lexicon, tokens: tuple[Token, ...], kind: str) -> bool:
    """Whether a word of that kind is among them."""
    return any(found == kind for at in range(len(tokens)) for found, _, _ in words.senses(tokens, at))


def spread_negation(readings: Sequence[Reading], text: str, words: Lexicon) -> tuple[Reading, ...]:
    """ "Not Monday, Tuesday or Friday": what a list joins to an excluded time is excluded as well.

    A comma alone joins nothing: "not Friday, Thursday is fine".
    """
    spread = list(readings)
    for at, reading in enumerate(readings):
        if not reading.negated or reading.span is None:
            continue
        last = at
        for following in range(at + 1, len(readings)):
            joint = _joint(text[readings[following - 1].stop : readings[following].begin], words)
            if joint == "none" or readings[following].span is None:
                break
            last = following if joint == "or" else last
        spread[at : last + 1] = map(_negated, spread[at : last + 1])
    return tuple(spread)


def _joint(between: str, words: Lexicon) -> Literal["or", "comma", "none"]:
    tokens = tokenize(between)
    kinds = [{kind for kind, _, _ in words.senses(tokens, at)} for at in range(len(tokens))]
    if not tokens or len(tokens) > 3:
        return "none"
    if not all(
        token.text in ",/" or each & {"OR", "AND", "ON", "THE"} for token, each in zip(tokens, kinds, strict=True)
    ):
        return "none"
    return "or" if any(each & {"OR", "AND"} for each in kinds) or "/" in between else "comma"


def _negated(reading: Reading) -> Reading:
    return msgspec.structs.replace(reading, negated=True)


@dataclass(frozen=True)
class _Found:
    window: Window
    exact: bool
    reading: Reading
    length: dt.timedelta | None = None


class _Wisher:
    def __init__(
        self,
        text: str,
        tokens: tuple[Token, ...],
        words: Lexicon,
        now: dt.datetime,
        zone: str,
        readings: Sequence[Reading],
    ) -> None:
        self._text, self._tokens, self._words = text, tokens, words
        self._now, self._zone, self._readings = now, zone, readings
        self._meets = [place for kind in _ASKING for place in self._places(kind)]
        self._spans = [each for each in readings if self._may_be_meant(each)]
        self._used: list[Reading] = []
        self._moves = said(words, tokens, "MOVE")

    def wish(self) -> MeetingWish | None:
        found = self._found()
        future = [each for each in found if each.window.end is None or each.window.end > self._now]
        asked = any(abs(one - two) <= _NEAR_ASK for one in self._places("REQUEST") for two in self._meets)
        recurring = recurring_in([each for each in self._readings if not self._is_any_day(each)])
        if not future and not asked and not recurring:
            return None
        series = None
        if recurring:
            future = found = self._first_of(recurring, future)
            first = next((each.window.start for each in future if each.window.start), self._now)
            series = series_of(recurring, self._readings, self._tokens, self._words, first)
        windows = tuple(each.window for each in future)[:_WINDOWS_MAX]
        unclear, questions = self._unclear(future, found, recurring, series)
        return MeetingWish(
            windows=windows,
            excluded=tuple(self._excluded(windows) if series is None else self._left_out()),
            exact=bool(future) and all(each.exact for each in future),
            duration=self._duration(future, recurring),
            people=people_in(self._text, self._words, self._readings),
            place=place_in(self._text, self._words, self._readings),
            moves=self._moves,
            flexible=said(self._words, self._tokens, "FLEX"),
            recurring=recurring.words if recurring else None,
            series=series,
            readings=tuple(self._readings),
            unclear=unclear,
            questions=questions,
        )

    def _places(self, kind: str) -> list[int]:
        """Where words of that kind stand in the text."""
        found = (
            at for at in range(len(self._tokens)) if any(k == kind for k, _, _ in self._words.senses(self._tokens, at))
        )
        return [self._tokens[at].begin for at in found]

    def _may_be_meant(self, reading: Reading) -> bool:
        """Whether a time stands near a word for meeting, is not "now", and is no whole year."""
        span = reading.span
        if span is None or reading.negated or span.grain in ("second", "year", "decade", "century"):
            return False
        return any(abs(reading.begin - place) <= _NEAR for place in self._meets)

    # ---- when --------------------------------------------------------------------------------------------------------

    def _found(self) -> list[_Found]:
        """Windows in the order said; times of day without a date are put on the dates that were said."""
        dated = [each for each in self._with_shared_times() if each.dated]
        # "Please reply by Friday" is no time to meet when there is another one.
        dated = [each for each in dated if each.kind != "open" or (each.span and each.span.start)] or dated
        times = [each for each in self._spans if not each.dated]
        if not times:
            return [self._window(each) for each in dated]
        days = [each for each in dated if each.span and each.span.grain == "day" and each.kind == "point"]
        stretches = [each for each in dated if each not in days and each.span and each.span.grain not in _FINE]
        fixed = [each for each in dated if each.span and each.span.grain in _FINE]
        if fixed and not days and not stretches:
            return [self._window(each) for each in fixed]
        if not days and not stretches:
            return self._times_on(times, None)
        found = [self._window(each) for each in fixed]
        for day in days:
            found += self._times_on(times, day)
        for stretch in stretches:
            found += self._times_in(times, stretch)
        return found

    def _is_any_day(self, reading: Reading) -> bool:
        """ "Any day next week": no series, and says no more than the week."""
        tokens = tokenize(reading.words)
        days = any(kind == "UNIT" for at in range(len(tokens)) for kind, _, _ in self._words.senses(tokens, at))
        return days and self._first_kind(reading, "ANY")

    def _with_shared_times(self) -> list[Reading]:
        """ "Monday, Wednesday or Friday at 3", "at 3 on Monday or Wednesday": the time is that of all of them."""
        shared = list(self._spans)
        for at in range(len(shared) - 2, -1, -1):
            shared[at] = self._at_time_of(shared[at], shared[at + 1], shared[at].stop, shared[at + 1].begin)
        for at in range(1, len(shared)):
            if not self._begins_with_day(self._spans[at - 1]):
                shared[at] = self._at_time_of(shared[at], shared[at - 1], shared[at - 1].stop, shared[at].begin)
        return shared

    def _at_time_of(self, day: Reading, timed: Reading, stop: int, begin: int) -> Reading:
        """A day at the time of another one, where nothing but "or" or a comma is between them."""
        span, time = day.span, timed.span
        if span is None or time is None or not (day.dated and timed.dated) or span.start is None or time.start is None:
            return day
        if day.kind != "point" or span.grain != "day" or time.grain not in _FINE:
            return day
        if _joint(self._text[stop:begin], self._words) == "none":
            return day
        return msgspec.structs.replace(day, kind=timed.kind, span=_shifted(time, span.start - _midnight(time.start)))

    def _begins_with_day(self, reading: Reading) -> bool:
        tokens = tokenize(reading.words)[:2]
        kinds = {kind for at in range(len(tokens)) for kind, _, _ in self._words.senses(tokens, at)}
        return bool(kinds & {"WEEKDAY", "MONTH", "DAYREF", "ORD", "REL"})

    def _first_of(self, recurring: Reading, others: Sequence[_Found]) -> list[_Found]:
        """The windows of a series' first meeting: from the day on that was named for its beginning."""
        begin = begins(self._readings)
        start = begin.span.start if begin and begin.span else None
        if begin and start and start > self._now:
            self._used.append(begin)
            code = self._words.language.code
            again = [each for each in read(recurring.words, start, self._zone, code) if each.kind == "recurring"]
            recurring = again[0] if again else recurring
        first = recurring.first
        if first is None:
            # "Weekly, the first time on Tuesday at 10".
            return [each for each in others if _is_within_a_day(each.window)][:1]
        day = msgspec.structs.replace(recurring, kind="point" if first.last is None else "interval", span=first)
        times = [each for each in self._spans if not each.dated]
        self._used.append(recurring)
        return self._times_on(times, day) if first.grain == "day" and times else [self._window(day)]

    def _left_out(self) -> Iterator[Window]:
        """ "Not on 17 March": of a series, those of its days."""
        for reading in self._readings:
            if reading.negated and reading.span is not None:
                yield Window(reading.span.start, reading.span.end, reading.words)

    def _window(self, reading: Reading) -> _Found:
        span = reading.span
        assert span is not None
        if self._moves and reading.kind == "interval":
            reading, span = self._moved_to(reading, span)
        self._used.append(reading)
        start, end = span.start or self._now, span.end
        if reading.kind == "open" and span.grain in _FINE:
            # "Tuesday after 2" is over with that day, "Tuesday until 2" begins with it.
            start, end = (start, end or _midnight(start) + _DAY) if span.start else (_midnight(end or start), end)
            return _Found(Window(max(start, self._now), end, reading.words), False, reading)
        if reading.kind == "point" and span.grain in _FINE:
            return _Found(Window(start, end, reading.words), True, reading)
        if reading.kind == "interval" and span.grain in _FINE and span.last == span.end and end is not None:
            # "From 2 to 3" is the meeting, "between 2 and 5" is where it has room.
            room = self._first_kind(reading, "BETWEEN") or end - start > _LONGEST_MEETING
            return _Found(Window(start, end, reading.words), not room, reading, None if room else end - start)
        return _Found(Window(max(start, self._now), end, reading.words), False, reading)

    def _moved_to(self, reading: Reading, span: Span) -> tuple[Reading, Span]:
        """ "From Thursday to Friday at 10": of a meeting that is moved, where it goes to."""
        tokens = tokenize(reading.words)
        if not self._first_kind(reading, "FROM"):
            return reading, span
        for at in range(1, len(tokens)):
            count = next((count for kind, _, count in self._words.senses(tokens, at) if kind == "TO"), 0)
            if count and at + count < len(tokens):
                rest = reading.words[tokens[at + count].begin :]
                again = [each for each in read(rest, self._now, self._zone, self._words.language.code) if each.dated]
                if again and again[0].span:
                    return again[0], again[0].span
        return reading, span

    def _first_kind(self, reading: Reading, kind: str) -> bool:
        tokens = tokenize(reading.words)
        return any(found == kind for found, _, _ in self._words.senses(tokens, 0))

    def _times_on(self, times: Sequence[Reading], day: Reading | None) -> list[_Found]:
        """The times of day on one day; "at 2 pm ... until 3 pm" is one window."""
        found: list[_Found] = []
        for time in times:
            moved = self._moved(time, day)
            if moved is None:
                continue
            last = found[-1] if found else None
            if time.kind == "open" and moved.start is None and last and last.exact and last.window.start and moved.end:
                if moved.end > last.window.start:
                    both = Window(last.window.start, moved.end, f"{last.window.words}, {time.words}")
                    found[-1] = _Found(both, True, last.reading, moved.end - last.window.start)
                continue
            self._used.append(time)
            exact = time.kind == "point"
            whole = self._day_of(day) if time.kind == "open" else None
            start = moved.start or (whole.start if whole else self._now)
            end = moved.end or (whole.end if whole else None)
            words = f"{day.words}, {time.words}" if day else time.words
            length = end - start if time.kind == "interval" and end and start and self._is_meeting(time) else None
            found.append(_Found(Window(start, end, words), exact or length is not None, time, length))
        if day:
            self._used.append(day)
        return found

    def _is_meeting(self, time: Reading) -> bool:
        span = time.span
        return bool(span and span.last is not None and span.last == span.end and not self._first_kind(time, "BETWEEN"))

    @staticmethod
    def _day_of(day: Reading | None) -> Window | None:
        return Window(day.span.start, day.span.end, day.words) if day and day.span else None

    def _moved(self, time: Reading, day: Reading | None) -> Window | None:
        """A time of day on another day: read again from that day's beginning."""
        span = time.span
        assert span is not None
        if day is None or day.span is None or day.span.start is None:
            return Window(span.start, span.end, time.words)
        again = read(time.words, day.span.start, self._zone, self._words.language.code)
        if not again or again[0].span is None:
            return None
        return Window(again[0].span.start, again[0].span.end, time.words)

    def _times_in(self, times: Sequence[Reading], stretch: Reading) -> list[_Found]:
        """ "Next week in the afternoon": the afternoons of its working days."""
        self._used.append(stretch)
        found: list[_Found] = []
        for day in self._days(stretch):
            span = stretch.span
            assert span is not None
            for time in times:
                if len(found) >= _WINDOWS_MAX:
                    break
                again = read(time.words, day, self._zone, self._words.language.code)
                if again and again[0].span:
                    start, end = again[0].span.start or day, again[0].span.end or day + _DAY
                    found.append(
                        _Found(Window(start, end, f"{stretch.words}, {time.words}"), time.kind == "point", time)
                    )
        self._used += times
        return found

    def _days(self, stretch: Reading) -> Iterator[dt.datetime]:
        span = stretch.span
        if span is None or span.end is None:
            return
        start = span.start or self._now
        if start < self._now:
            start = self._now.astimezone(start.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
        weekends_too = span.end - start <= 2 * _DAY
        for number in range(min((span.end - start).days, _DAYS_MAX)):
            day = start + number * _DAY
            if day.weekday() < 5 or weekends_too:
                yield day

    # ---- when not ----------------------------------------------------------------------------------------------------

    def _excluded(self, windows: Sequence[Window]) -> Iterator[Window]:
        """ "Not Friday": each Friday of the windows, read from each of their days."""
        excluded = [each for each in self._readings if each.negated and each.span is not None][:_EXCLUDED_MAX]
        spans = [Window(each.span.start, each.span.end, each.words) for each in excluded if each.span]
        days = sorted({day for window in windows for day in _days_of(window)})[:_DAYS_MAX]
        for words in dict.fromkeys(each.words for each in excluded):
            spans += (window for day in days for window in self._again(words, day))
        seen: set[tuple[dt.datetime | None, dt.datetime | None]] = set()
        for span in spans:
            if (span.start, span.end) not in seen and any(_meet(span, window) for window in windows):
                seen.add((span.start, span.end))
                yield span

    def _again(self, words: str, day: dt.datetime) -> Iterator[Window]:
        for each in read(words, day, self._zone, self._words.language.code, _ON_THE_DAY):
            if each.span:
                yield Window(each.span.start, each.span.end, words)

    # ---- how long, and what is not clear -----------------------------------------------------------------------------

    def _duration(self, found: Sequence[_Found], recurring: Reading | None) -> Length | None:
        for reading in self._readings:
            if reading.length is not None and not reading.negated and not (recurring and lasts(reading)):
                return reading.length
        lengths = {each.length for each in found}
        length = next(iter(lengths)) if len(lengths) == 1 else None
        return Length(seconds=length.total_seconds()) if length else None

    def _unclear(
        self, future: Sequence[_Found], found: Sequence[_Found], recurring: Reading | None, series: Series | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        code = self._words.language.code
        asked: list[tuple[str, str]] = []
        for reading in dict.fromkeys(self._used):
            asked += [(f"{reading.words}: {doubt}", ask("which", code, reading)) for doubt in reading.doubts]
        for reading in self._readings:
            if reading.length is not None and reading.doubts:
                asked.append((f"{reading.words}: {reading.doubts[0]}", ask("long", code)))
            elif (
                reading.length is not None
                and not lasts(reading)
                and reading.length.total_seconds > _LONG.total_seconds()
            ):
                asked.append((f"{reading.words}: how many hours?", ask("long", code)))
            if reading is recurring and not (series and series.rule and series.ends):
                asked.append((f"{reading.words}: a series", ask("series", code, reading)))
        if found and not future:
            asked.append((f"{found[0].reading.words}: over already", ask("past", code, found[0].reading)))
        if not found:
            asked.append(("no time was said", ask("when", code)))
        return tuple(dict.fromkeys(u for u, _ in asked)), tuple(dict.fromkeys(q for _, q in asked))


def _shifted(span: Span, by: dt.timedelta) -> Span:
    """So many days later; by the clock, as both have one zone."""
    assert span.start is not None
    end, last = (None if each is None else each + by for each in (span.end, span.last))
    return Span(span.start + by, end, span.grain, last)


def _is_within_a_day(window: Window) -> bool:
    return window.start is not None and window.end is not None and window.end - window.start <= _DAY


def _days_of(window: Window) -> Iterator[dt.datetime]:
    """The days of a window, each from its beginning."""
    if window.start is not None and window.end is not None:
        first = _midnight(window.start)
        yield from (first + n * _DAY for n in range(min((window.end - first).days + 1, _DAYS_MAX)))


def _midnight(moment: dt.datetime) -> dt.datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _meet(one: Window, two: Window) -> bool:
    before = one.end is not None and two.start is not None and one.end <= two.start
    after = one.start is not None and two.end is not None and one.start >= two.end
    return not before and not after
