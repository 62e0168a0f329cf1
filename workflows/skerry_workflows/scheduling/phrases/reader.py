"""A text into readings: where an expression of time may begin it is parsed, and the longest one counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from typing import get_args
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from skerry_workflows.scheduling.phrases.conventions import OFFICE, Conventions
from skerry_workflows.scheduling.phrases.grammar import rules
from skerry_workflows.scheduling.phrases.grammar.days import grain_of
from skerry_workflows.scheduling.phrases.language import Lexicon, detect, lexicon
from skerry_workflows.scheduling.phrases.lexer import Token, readable, tokenize
from skerry_workflows.scheduling.phrases.model import Alternative, Grain, Length, Reading, Span
from skerry_workflows.scheduling.phrases.nodes import (
    Amount,
    Clock,
    Either,
    Every,
    Fields,
    Node,
    Range,
    Relative,
    Within,
)
from skerry_workflows.scheduling.phrases.parser import Parser
from skerry_workflows.scheduling.phrases.resolve import resolve, zone_of
from skerry_workflows.scheduling.phrases.series import first_days
from skerry_workflows.scheduling.phrases.slots import Scope, Slot

_GRAINS = get_args(Grain)
_CLOCK_CHANGE = "the clocks are changed then"
# Addresses hold figures that are no dates.
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_MONEY = "$€£¥%°"
_JOINS = "./:-,_"
# A date of two figures with so few digits is rather a fraction, where nothing leads to it.
_FRACTION = re.compile(r"\d/\d{1,2}|\d{2}/\d")
_PENCE = re.compile(r"\d{1,2}p")
_LEADING_YEAR = frozenset(["IN", "SINCE", "FROM", "DURING", "OF", "AND", "BY", "UNTIL", "TO", "BEFORE", "AFTER", "OR"])
# Tokens of a negation and what may stand behind it: "isn't possible on the".
_NEGATION_MAX = 7
# Tokens between two entries of a list: ", or".
_JOINT_MAX = 2
_LEADING = _LEADING_YEAR | {"ON", "BETWEEN", "FOR"}


def read(
    text: str, now: dt.datetime, zone: str, language: str | None = None, conventions: Conventions = OFFICE
) -> tuple[Reading, ...]:
    """As `times` of this package says; `conventions` are how long an afternoon is, and the like."""
    if now.tzinfo is None:
        raise ValueError("now needs a zone")
    where = zone_of(zone)
    text = readable(text)
    tokens = tokenize(text)
    words = lexicon(language or detect(tokens))
    reader = _Reader(
        text, tokens, words, Scope(now.astimezone(where).replace(tzinfo=None), where, conventions=conventions)
    )
    return tuple(reader.readings())


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """An expression from token `at` until before `end`."""

    node: Node
    at: int
    end: int
    reading: Reading


class _Reader:
    def __init__(self, text: str, tokens: tuple[Token, ...], words: Lexicon, scope: Scope) -> None:
        self._text, self._tokens, self._words, self._scope = text, tokens, words, scope
        self._parser = Parser(rules(words.language.order, words.language.hours), words, tokens)
        self._hidden = [match.span() for match in _ADDRESS.finditer(text)]

    def readings(self) -> Iterator[Reading]:
        found: list[_Place] = []
        at = 0
        while at < len(self._tokens):
            here = self._longest(at) or (self._continued(found[-1], at) if found else None)
            if here:
                self._spread(found, here)
                found.append(here)
            at = here.end if here else at + 1
        yield from (place.reading for place in found)

    def _longest(self, at: int) -> _Place | None:
        token = self._tokens[at]
        if not (token.text[0].isdecimal() or self._parser.senses(at) or token.text in "'½¼¾~@"):
            return None
        if any(begin <= token.begin < stop for begin, stop in self._hidden) or not self._may_begin(at):
            return None
        found = sorted(self._parser.parse("expression", at), key=lambda each: -each[1])
        for node, end in found:
            if isinstance(node, int | float | str) or not self._may_end(end - 1) or self._too_weak(node, at, end):
                continue
            reading = self._reading(node, at, end)
            if reading:
                return _Place(node, at, end, reading)
        return None

    # ---- lists -------------------------------------------------------------------------------------------------------

    def _continued(self, before: _Place, at: int) -> _Place | None:
        """ "The 6th, 7th or 8th", "on Monday at 3 or 4": a figure that what stands before it explains."""
        if not self._joined(before.end, at):
            return None
        day = before.node.outer if isinstance(before.node, Within) else None
        time = before.node.inner if isinstance(before.node, Within) else before.node
        for symbol in ("ordinal", "day_number", "bare"):
            for value, end in self._parser.parse(symbol, at):
                node: Node | None = None
                if isinstance(value, int) and isinstance(before.node, Fields) and before.node.weekday is None:
                    named = before.node.month is not None
                    if before.node.day and 1 <= value <= 31 and (symbol == "ordinal" or (named and self._alone(end))):
                        node = Fields(before.node.year, before.node.month, value)
                elif isinstance(value, Clock) and isinstance(time, Clock) and self._alone(end):
                    other = _in_same_half(value, time)
                    node = Within(day, other) if day else other
                reading = self._reading(node, at, end) if node else None
                if node and reading and self._may_end(end - 1):
                    return _Place(node, at, end, reading)
        return None

    def _spread(self, found: list[_Place], last: _Place) -> None:
        """ "Thursday and Friday of next week": both are in it."""
        node = last.node
        if isinstance(node, Within) and isinstance(node.outer, Within):
            node = node.outer  # "next week at 10"
        if not isinstance(node, Within) or not _is_weekday(node.inner) or grain_of(node.outer) != "week":
            return
        end = last.at
        for number in range(len(found) - 1, -1, -1):
            place = found[number]
            if not _is_weekday(place.node) or not self._joined(place.end, end):
                return
            inside = Within(node.outer, place.node)
            reading = self._reading(inside, place.at, place.end)
            if reading:
                found[number] = _Place(inside, place.at, place.end, reading)
            end = place.at

    def _joined(self, end: int, at: int) -> bool:
        """Whether only a comma, "and", "or" or a stroke stands between two places."""
        return 0 < at - end <= _JOINT_MAX and all(map(self._is_joint, range(end, at)))

    def _is_joint(self, at: int) -> bool:
        return self._tokens[at].text in ",/&" or any(kind in ("AND", "OR") for kind, _, _ in self._parser.senses(at))

    def _alone(self, end: int) -> bool:
        """Whether no word follows that a figure would count: the end, a sign, or a word of no things."""
        if end >= len(self._tokens):
            return True
        token = self._tokens[end]
        if not token.text[0].isalnum():
            return True
        kinds = {kind for kind, _, _ in self._parser.senses(end)}
        return (bool(kinds) and not kinds & {"UNIT", "OF"}) or token.folded in self._words.marks

    def _in_a_list(self, at: int) -> bool:
        """Whether another weekday stands beside it ("Mon, Wed and Fri")."""

        def weekday(other: int) -> bool:
            return 0 <= other < len(self._tokens) and any(k == "WEEKDAY" for k, _, _ in self._parser.senses(other))

        def beside(step: int) -> bool:
            other = at + step
            while 0 <= other < len(self._tokens) and abs(other - at) <= _JOINT_MAX and self._is_joint(other):
                other += step
            return other != at + step and weekday(other)

        return weekday(at) and (beside(1) or beside(-1))

    # ---- where one may be --------------------------------------------------------------------------------------------

    def _may_begin(self, at: int) -> bool:
        token, before = self._tokens[at], self._tokens[at - 1] if at else None
        if before is None or (token.gap != "none" and not (before.text in _MONEY and token.text.isdecimal())):
            return True
        if _unspaced(before) or _unspaced(token):
            return True
        if before.text[-1].isalnum() or before.text in _MONEY + "#@":
            return False
        glued = at > 1 and before.gap == "none" and self._tokens[at - 2].text[-1].isalnum()
        return not (before.text in _JOINS and glued and token.text[0].isdecimal())

    def _may_end(self, last: int) -> bool:
        token = self._tokens[last]
        if last + 1 >= len(self._tokens):
            return True
        after = self._tokens[last + 1]
        if after.text in _MONEY and token.text.isdecimal():
            return False
        number = token.text.isdecimal() or any(kind == "NUM" for kind, _, _ in self._parser.senses(last))
        if number and any(kind == "UNIT" for kind, _, _ in self._parser.senses(last + 1)):
            return False  # "since 3 months" is no hour
        about = last > 0 and any(kind == "ABOUT" for kind, _, _ in self._parser.senses(last - 1))
        if token.text.isdecimal() and about and not self._alone(last + 1):
            return False  # "on Friday about 10 people"
        if after.gap != "none" or _unspaced(token) or _unspaced(after):
            return True
        if after.text[0].isalnum():
            return False
        following = self._tokens[last + 2] if last + 2 < len(self._tokens) else None
        glued = following is not None and following.gap == "none" and following.text[0].isalnum()
        return not (after.text in _JOINS and glued and token.text.isdecimal())

    def _too_weak(self, node: Node, at: int, end: int) -> bool:
        """Whether so little was said that it is rather something else."""
        if end - at == len(self._tokens):
            return end - at == 1 and self._tokens[at].text.isdecimal() and not isinstance(node, Fields)
        if isinstance(node, Fields) and node.year and node.month is None and end - at == 1:
            return not self._led(at, _LEADING_YEAR)
        if isinstance(node, Amount) and at and self._is_per(at):
            return True
        if _PENCE.fullmatch(self._said(at, end)) and not self._led(at):
            return True
        if isinstance(node, Range) and _downwards(node):
            return True
        if isinstance(node, Relative) and node.offset == 0 and isinstance(node.of, Fields) and node.of.month:
            # "This may come": no month, unless it has a capital.
            return (self._tokens[end - 1].folded,) in self._words.weak and self._tokens[end - 1].text[0].islower()
        if isinstance(node, Fields | Either) and _FRACTION.fullmatch(self._said(at, end)) and not self._led(at):
            return True
        if (self._tokens[end - 1].folded,) not in self._words.weak:
            return False
        # "On Sun" is a day, "on the fall" is no season.
        if isinstance(node, Every) and self._is_of_meeting(end):
            return False
        weekday = isinstance(node, Fields) and node.weekday is not None
        if weekday and end - at == 1 and self._tokens[at].text[0].isupper() and self._in_a_list(at):
            return False
        return end - at == 1 or (not weekday and all(self._is_article(n) for n in range(at, end - 1)))

    def _is_of_meeting(self, at: int) -> bool:
        """ "A weekly call"."""
        return any(kind == "MEET" for kind, _, _ in self._parser.senses(at))

    def _is_article(self, at: int) -> bool:
        return any(kind in ("THE", "ON") for kind, _, _ in self._parser.senses(at))

    def _is_per(self, at: int) -> bool:
        """ "$18 an hour"."""
        article = any(kind == "A" for kind, _, _ in self._parser.senses(at))
        return article and self._tokens[at - 1].text.isdecimal()

    def _led(self, at: int, by: frozenset[str] = _LEADING) -> bool:
        """Whether a word before it leads to a date or a year ("on", "since")."""
        return at > 0 and any(kind in by for kind, _, _ in self._parser.senses(at - 1))

    def _said(self, at: int, end: int) -> str:
        return self._text[self._tokens[at].begin : self._tokens[end - 1].stop]

    # ---- what it is --------------------------------------------------------------------------------------------------

    def _reading(self, node: Node, at: int, end: int) -> Reading | None:
        begin, stop = self._tokens[at].begin, self._tokens[end - 1].stop
        bare = Reading(
            words=self._text[begin:stop], begin=begin, stop=stop, kind="duration", language=self._words.language.code,
            negated=self._negated(at),
        )  # fmt: skip
        if isinstance(node, Amount):
            length = Length(node.months, node.days, node.seconds)
            return replace(bare, length=length, doubts=("how long exactly?",) if node.about else ())
        if isinstance(node, Every):
            return replace(bare, kind="recurring", repeats=node.rule, first=self._first(node))
        slots = resolve(node, self._scope)
        if not slots:
            return None
        first = slots[0]
        span, doubts = self._span(first), list(first.doubts)
        if any(_changed(each) for each in (span.start, span.end)):
            doubts.append(_CLOCK_CHANGE)
        others = [(self._span(slot), slot.why or "another reading") for slot in slots[1:]]
        alternatives = tuple(Alternative(each, why) for each, why in dict(others).items() if each != span)
        return replace(
            bare, kind=first.kind, span=span, alternatives=alternatives, doubts=tuple(dict.fromkeys(doubts)),
            dated=first.dated,
        )  # fmt: skip

    def _first(self, node: Every) -> Span | None:
        """The first time that a series can have, from now on; None where its rule is not known."""
        scope = self._scope
        for day in first_days(node.rule, scope.now):
            found = [Slot(day, day + dt.timedelta(days=1), "day")]
            if node.node is not None:
                # Read as on any day: that a time is over today says nothing of a series.
                before = dataclasses.replace(scope, now=day - dt.timedelta(days=1), within=found[0])
                found = resolve(node.node, before)
            if found and found[0].start and found[0].start >= scope.now:
                return self._span(found[0])
        return None

    def _negated(self, at: int) -> bool:
        """Whether words just before it say that this is not meant ("not on Friday", "I can't do Friday")."""
        between = at
        while between > 0 and at - between < _NEGATION_MAX and self._is_small(between - 1):
            between -= 1
        for before in range(at - 1, max(at - _NEGATION_MAX, -1), -1):
            counts = [count for kind, _, count in self._parser.senses(before) if kind == "NOT"]
            if any(between <= before + count <= at for count in counts):
                return True
        return False

    def _is_small(self, at: int) -> bool:
        """ "On", "in", "the": a word that may stand between "not" and a day."""
        return any(kind in ("ON", "IN", "THE", "AT", "OF") for kind, _, _ in self._parser.senses(at))

    def _span(self, slot: Slot) -> Span:
        grain: Grain = next((each for each in _GRAINS if each == slot.grain), "day")
        zone = self._scope.zone
        return Span(_aware(slot.start, zone), _aware(slot.end, zone), grain, _aware(slot.last, zone))


def _downwards(node: Range) -> bool:
    """ "From 19 to 17" counts something else than hours."""
    first, last = node.first, node.last
    if not isinstance(first, Clock) or not isinstance(last, Clock) or first.minute is not None:
        return False
    return first.half == last.half == "24" and 12 < last.hour < first.hour


def _is_weekday(node: Node) -> bool:
    """A weekday, and nothing more said."""
    return isinstance(node, Fields) and node.weekday is not None and node.day is node.month is node.year is None


def _in_same_half(time: Clock, before: Clock) -> Clock:
    """ "3 pm or 4": that is the afternoon, too."""
    if time.half != "either" or before.half != "24" or time.hour > 12:
        return time
    return dataclasses.replace(time, hour=time.hour % 12 + 12 * (before.hour >= 12), half="24", zone=before.zone)


def _unspaced(token: Token) -> bool:
    return "\u3040" <= token.text[0] <= "\u9fff"


def _aware(moment: dt.datetime | None, zone: ZoneInfo) -> dt.datetime | None:
    return moment.replace(tzinfo=zone) if moment else None


def _changed(moment: dt.datetime | None) -> bool:
    """Whether that local time is skipped or comes twice."""
    if moment is None or not 1 < moment.year < 9999:
        return False
    return moment.utcoffset() != moment.replace(fold=1).utcoffset()
