"""Dates, amounts and numbers, each in the many ways of writing them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from random import Random

_MONTHS: dict[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_DAYS: dict[str, str] = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
_NUMERIC = ("{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}", "{d:02}-{m:02}-{y}", "{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{d}/{m}/{y}",
            "{d:02}.{m:02}.{yy:02}", "{d:02}/{m:02}/{yy:02}", "{y}/{m:02}/{d:02}", "{m:02}/{d:02}/{y}", "{d:02}. {m:02}. {y}",
            "{d:02} {m:02} {y}", "{d:02}-{m:02}-{yy:02}", "{y}.{m:02}.{d:02}", "{y}{m:02}{d:02}")  # fmt: skip
_SPELT: dict[str, tuple[str, ...]] = {
    "en": ("{d} {month} {y}", "{month} {d}, {y}", "{d:02} {mon} {y}", "{mon} {d}, {y}", "{d}-{mon}-{y}", "{d}{th} {month} {y}",
           "{day}, {d} {month} {y}", "{mon} {d:02} {y}"),
    "de": ("{d}. {month} {y}", "{d:02}. {month} {y}", "{d}. {mon} {y}", "{day}, {d}. {month} {y}", "{d}. {mon}. {y}"),
    "fr": ("{d} {month} {y}", "{d:02} {month} {y}", "{d} {mon}. {y}", "{day} {d} {month} {y}", "{d}-{mon}-{y}"),
    "es": ("{d} de {month} de {y}", "{d} {month} {y}", "{d} {mon} {y}", "{day}, {d} de {month} de {y}", "{d}-{mon}-{y}"),
    "it": ("{d} {month} {y}", "{d:02} {month} {y}", "{d} {mon} {y}", "{day} {d} {month} {y}", "{d}-{mon}-{y}"),
    "nl": ("{d} {month} {y}", "{d:02} {month} {y}", "{d} {mon}. {y}", "{day} {d} {month} {y}", "{d}-{mon}-{y}"),
}  # fmt: skip

CURRENCIES = (
    "EUR", "€", "EUR", "€", "EUR", "€", "USD", "$", "GBP", "£", "CHF", "CHF", "SEK", "NOK", "DKK", "kr", "PLN", "zł", "CZK", "Kč",
    "JPY", "¥", "CAD", "AUD", "Euro", "Fr.", "US$", "MXN", "INR", "₹",
)  # fmt: skip
"""What a currency may read; the common ones come more often."""


def day(r: Random) -> datetime.date:
    """Some day of two decades."""
    return datetime.date(2008, 1, 1) + datetime.timedelta(days=r.randrange(8000))


def days_later(r: Random, since: datetime.date) -> datetime.date:
    """A day some weeks later, as payment terms have it."""
    return since + datetime.timedelta(
        days=r.choice((7, 10, 14, 14, 15, 20, 21, 28, 30, 30, 30, 45, 60, r.randint(1, 90)))
    )


def date_style(r: Random, language: str) -> str:
    """One way of writing dates; a document has one."""
    return r.choice(_NUMERIC) if r.random() < 0.62 else r.choice(_SPELT[language])


def write_date(date: datetime.date, style: str, language: str) -> str:
    """A date in that style."""
    month = _MONTHS[language].split()[date.month - 1]
    th = "th" if 10 < date.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(date.day % 10, "th")
    return style.format(
        d=date.day,
        m=date.month,
        y=date.year,
        yy=date.year % 100,
        month=month,
        mon=month[:3],
        th=th,
        day=_DAYS[language].split()[date.weekday()],
    )


def weekday(r: Random, language: str) -> str:
    """The name of a day of the week."""
    return r.choice(_DAYS[language].split())


def write_amount(cents: int, style: str) -> str:
    """An amount, with the style's sign for thousands and its sign for decimals: `.,` writes 1.234,56 and `,` 1234,56."""
    whole, rest = divmod(abs(cents), 100)
    if style == "0":
        return str(whole)
    digits = f"{whole:,}".replace(",", style[:-1])
    return f"{'-' if cents < 0 else ''}{digits}{style[-1]}{rest:02}"


AMOUNT_STYLES = (",.", ".,", ",.", ".,", " ,", "'.", ".", ",", ",", "0")


def number(r: Random, year: int) -> str:
    """The number of an invoice, an order, a contract: nothing but its label says which."""
    letters = "ABCDEFGHIJKLMNPRSTUVWXYZ"
    return r.choice(
        ("INV-{y}-{n:04}", "{y}-{n:04}", "{y}/{n}", "{p}{n:05}", "{n:06}", "{n}", "{p}-{n:05}", "{yy:02}-{n:04}", "{p}/{n}/{yy:02}",
         "{p}{yy:02}{n:05}", "{n:04}/{y}", "{n}-{p}", "{p}{p2}-{n}-{yy:02}", "{y}{n:05}", "#{n}", "{p}.{n}.{yy:02}", "{x}",
         "{x}-{n}", "{p}{p2}{n}", "{n:03}-{n2:03}-{yy:02}", "{p}_{n}", "{p}{p2} {n}")
    ).format(
        y=year, yy=year % 100, n=r.randrange(10 ** r.choice((2, 3, 4, 5, 6, 7))), n2=r.randrange(1000),
        p=r.choice(("R", "F", "RE", "FA", "A", "INV", "RG", "VK", r.choice(letters), r.choice(letters) + r.choice(letters))),
        p2=r.choice(letters), x="".join(r.choice(letters + "0123456789") for _ in range(r.randint(5, 10))),
    )  # fmt: skip


def iban(r: Random) -> str:
    """Something that looks like an IBAN."""
    digits = "".join(str(r.randrange(10)) for _ in range(r.choice((16, 18, 20, 22))))
    code = r.choice(("DE", "FR", "ES", "IT", "NL", "GB", "AT", "CH")) + digits
    return code if r.random() < 0.3 else " ".join(code[i : i + 4] for i in range(0, len(code), 4))


def phone(r: Random) -> str:
    """Something that looks like a telephone number."""
    return (
        f"{r.choice(('+44', '+49', '+33', '0', '+31', '+39', '+34'))} {r.randint(10, 999)} {r.randint(1000, 9999999)}"
    )


@dataclass(frozen=True)
class Money:
    """How one document writes amounts: style of the digits, currency (or none) and where it stands."""

    style: str
    currency: str | None
    place: str
    """`before`, `tight` (before, without a space), `after`, `total` (with the total alone), `label`, `stated`, `none`."""

    def write(self, cents: int) -> str:
        """The bare amount, as an answer quotes it."""
        return write_amount(cents, self.style)

    def show(self, cents: int, *, total: bool = False) -> str:
        """The amount with its currency, where this document puts that."""
        amount = self.write(cents)
        place = ("after" if total else "none") if self.place == "total" else self.place
        if self.currency is None:
            return amount
        return {
            "before": f"{self.currency} {amount}",
            "tight": f"{self.currency}{amount}",
            "after": f"{amount} {self.currency}",
        }.get(place, amount)


def money(r: Random) -> Money:
    """One document's way of writing amounts."""
    style = r.choice(AMOUNT_STYLES)
    if r.random() < 0.08:
        return Money(style, None, "none")
    currency = r.choice(CURRENCIES)
    places = ("before", "after", "after", "total", "label", "stated")
    return Money(
        style, currency, r.choice((*places, "tight", "tight", "tight") if not currency[-1].isalpha() else places)
    )
