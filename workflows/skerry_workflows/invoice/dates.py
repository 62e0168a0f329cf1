"""Dates in text, as European and American business writes them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Order: TypeAlias = Literal["dmy", "mdy"]

# Names of the months in many languages, folded (no accents, no dots), by month. What is shorter is an abbreviation.
_MONTHS: tuple[str, ...] = (
    """
    january jan januar janner jaenner janvier enero gennaio januari janeiro stycznia styczen tammikuu
    tammikuuta leden ledna ianuarie
    """,
    """
    february feb februar fevrier febrero febbraio februari fevereiro lutego luty helmikuu helmikuuta
    unor unora februarie
    """,
    """
    march mar marz maerz mars marzo maart marco marca marzec maaliskuu maaliskuuta brezen brezna martie
    mrt mrz
    """,
    """
    april apr avril abril aprile kwietnia kwiecien huhtikuu huhtikuuta duben dubna aprilie avr abr
    """,
    """
    may mai mayo maggio mei maio maja maj toukokuu toukokuuta kveten kvetna
    """,
    """
    june jun juni juin junio giugno junho czerwca czerwiec kesakuu kesakuuta cerven cervna iunie
    """,
    """
    july jul juli juillet julio luglio julho lipca lipiec heinakuu heinakuuta cervenec cervence iulie
    juil
    """,
    """
    august aug aout agosto augustus sierpnia sierpien elokuu elokuuta srpen srpna augusti
    """,
    """
    september sep septembre septiembre settembre setembro wrzesnia wrzesien syyskuu syyskuuta zari
    septembrie sept
    """,
    """
    october oct oktober octobre octubre ottobre outubro pazdziernika pazdziernik lokakuu lokakuuta rijen
    rijna octombrie okt
    """,
    """
    november nov novembre noviembre novembro listopada listopad marraskuu marraskuuta listopadu
    noiembrie
    """,
    """
    december dec dezember decembre diciembre dicembre dezembro grudnia grudzien joulukuu joulukuuta
    prosinec prosince decembrie dez
    """,
)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace(".", "")


def _month_numbers() -> dict[str, int]:
    """Every name and its abbreviations; an abbreviation that two months share is left out."""
    numbers: dict[str, set[int]] = {}
    for number, names in enumerate(_MONTHS, start=1):
        for name in names.split():
            for length in {3, 4, len(name)}:
                if len(name) >= length:
                    numbers.setdefault(name[:length], set()).add(number)
    # A full name beats another month's abbreviation ("mar" is short for march only, "maj" is a month of its own).
    full = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
    return {k: next(iter(v)) for k, v in numbers.items() if len(v) == 1} | full


_NUMBERS = _month_numbers()
_WORD = r"[^\W\d_]{3,14}"
_YEAR = r"(?:19|20)\d{2}|\d{2}"
_DATE = re.compile(
    rf"""(?<![\w.,/])(?<!\d[-])(?:
      (?P<iso>(?P<y1>(?:19|20)\d{{2}})(?P<s1>[-/.])(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}}))
    | (?P<num>(?P<a>\d{{1,2}})(?P<s2>[-/.]\ ?)(?P<b>\d{{1,2}})(?P=s2)(?P<y2>{_YEAR}))
    | (?P<dmy>(?P<d3>\d{{1,2}})(?:\.|st|nd|rd|th|er|º|ª)?(?:\ ?[-/]\ ?|\ +)(?:de\ |of\ |di\ )?(?P<m3>{_WORD})\.?
          (?:\ ?[-/,]\ ?|\ +)(?:de\ |del\ |di\ )?(?P<y3>{_YEAR}))
    | (?P<mdy>(?P<m4>{_WORD})\.?\ +(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\ +(?P<y4>(?:19|20)\d{{2}}))
    )(?![\w])(?![-/.,:]\d)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Date:
    """A date in text at [start, end). `values` are its possible meanings by order; two only for "03/04/2024"."""

    start: int
    end: int
    values: dict[Order, dt.date]

    def value(self, order: Order | None) -> dt.date | None:
        """The meaning, or None where day and month may be swapped and the document's `order` is not known."""
        meanings = set(self.values.values())
        if len(meanings) == 1:
            return meanings.pop()
        return self.values.get(order) if order else None


def find(text: str) -> Iterator[Date]:
    """Every date in `text`, left to right. What is no day of the calendar is passed over."""
    for match in _DATE.finditer(text):
        values = _values(match)
        if values:
            yield Date(match.start(), match.end(), values)


def _values(match: re.Match[str]) -> dict[Order, dt.date]:
    if match["iso"]:
        return _both(_date(int(match["y1"]), int(match["m1"]), int(match["d1"])))
    if match["dmy"]:
        month = _NUMBERS.get(_fold(match["m3"]))
        return _both(_date(_year(match["y3"]), month, int(match["d3"])))
    if match["mdy"]:
        month = _NUMBERS.get(_fold(match["m4"]))
        return _both(_date(_year(match["y4"]), month, int(match["d4"])))
    first, second, year = int(match["a"]), int(match["b"]), _year(match["y2"])
    dmy, mdy = _date(year, second, first), _date(year, first, second)
    if match["s2"].strip() == "." or not mdy:
        # Nobody writes the month first with dots.
        return _both(dmy)
    return {"dmy": dmy, "mdy": mdy} if dmy else _both(mdy)


def _both(date: dt.date | None) -> dict[Order, dt.date]:
    return {"dmy": date, "mdy": date} if date else {}


def _year(text: str) -> int:
    """Two digits are of this century: invoices are recent."""
    return int(text) if len(text) == 4 else 2000 + int(text)


def _date(year: int, month: int | None, day: int) -> dt.date | None:
    try:
        return dt.date(year, month or 0, day)
    except ValueError:
        return None


def order_of(text: str) -> Order | None:
    """Whether the document writes the day or the month first, from those of its dates that can be only one of them."""
    orders: set[Order] = set()
    for match in _DATE.finditer(text):
        if match["num"] and match["s2"].strip() != ".":
            first, second = int(match["a"]), int(match["b"])
            if first > 12 >= second:
                orders.add("dmy")
            if second > 12 >= first:
                orders.add("mdy")
    return orders.pop() if len(orders) == 1 else None
