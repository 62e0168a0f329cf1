"""What one invoice is about, before it is laid out, and what a layout needs to write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from training.documents import names, values
from training.documents.values import Money
from training.documents.words import readings
from training.task import Invoice

_THINGS: dict[str, str] = {
    "en": "Paper A4;Cable 3 m;Consulting;Installation;Monthly fee;Screws M6;Desk lamp;Hosting;Coffee beans;Shipping;Repair work;Toner",
    "de": "Papier A4;Kabel 3 m;Beratung;Montage;Monatspauschale;Schrauben M6;Schreibtischlampe;Hosting;Kaffee;Versand;Reparatur;Farbe",
    "fr": "Papier A4;Câble 3 m;Conseil;Installation;Forfait mensuel;Vis M6;Lampe de bureau;Hébergement;Café;Livraison;Réparation",
    "es": "Papel A4;Cable 3 m;Asesoría;Instalación;Cuota mensual;Tornillos M6;Lámpara;Alojamiento web;Café;Envío;Reparación",
    "it": "Carta A4;Cavo 3 m;Consulenza;Installazione;Canone mensile;Viti M6;Lampada;Hosting;Caffè;Spedizione;Riparazione",
    "nl": "Papier A4;Kabel 3 m;Advies;Installatie;Maandbedrag;Schroeven M6;Bureaulamp;Hosting;Koffie;Verzending;Reparatie",
}


@dataclass(frozen=True)
class Item:
    """One line of an invoice; prices in cents."""

    what: str
    many: int
    price: int

    @property
    def sum(self) -> int:
        return self.many * self.price


@dataclass(frozen=True)
class Facts:
    """What an invoice says. Amounts in cents; `due` is None where no day is named; `with_net`, `with_tax`: what is shown."""

    language: str
    seller: str
    buyer: str
    number: str
    date: str
    due: str | None
    net: int
    tax: int
    percent: int
    items: tuple[Item, ...]
    money: Money
    with_net: bool
    with_tax: bool

    @property
    def total(self) -> int:
        return self.net + self.tax

    def answer(self) -> Invoice:
        """What is to be read out of it."""
        return Invoice(
            seller=self.seller,
            number=self.number,
            date=self.date,
            due=self.due,
            net=self.money.write(self.net) if self.with_net else None,
            tax=self.money.write(self.tax) if self.with_tax else None,
            total=self.money.write(self.total),
            currency=self.money.currency,
        )


def facts(r: Random, language: str) -> tuple[Facts, str]:
    """An invoice out of thin air, and the style of its dates."""
    style = values.date_style(r, language)
    day = values.day(r)
    due = values.days_later(r, day) if r.random() < 0.65 else None
    money = values.money(r)
    step = 100 if money.style == "0" else 1
    top = r.choice((2_000, 20_000, 200_000, 2_000_000))
    things = _THINGS[language].split(";")
    items = tuple(
        Item(
            what=f"{r.choice(things)} {names.syllabic(r)}" if r.random() < 0.3 else r.choice(things),
            many=r.choice((1, 1, 1, 2, 3, 4, 5, 8, 10, 12)),
            price=max(1, r.randint(50, top) // step) * step,
        )
        for _ in range(r.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, r.randint(8, 18))))
    )
    net = sum(item.sum for item in items)
    percent = r.choice((5, 7, 8, 10, 19, 20, 21, 22, 25))
    tax = max(step, round(net * percent / 100 / step) * step)
    shown = r.choice(("all", "all", "all", "tax", "none"))
    return (
        Facts(
            language=language,
            seller=names.company(r, language),
            buyer=names.company(r, language) if r.random() < 0.6 else names.person(r),
            number=values.number(r, day.year),
            date=values.write_date(day, style, language),
            due=None if due is None else values.write_date(due, style, language),
            net=net,
            tax=tax,
            percent=percent,
            items=items,
            money=money,
            with_net=shown == "all",
            with_tax=shown != "none",
        ),
        style,
    )


@dataclass
class Scribe:
    """Writes the parts of one invoice: its facts, its dice, its wording, and the habits that hold for the whole page."""

    r: Random
    facts: Facts
    date_style: str
    held_labels: bool
    written: set[str] = field(default_factory=set[str])
    """The fields that stand on the page already."""
    currency_shown: bool = False

    def __post_init__(self) -> None:
        self.separator = self.r.choice((": ", ": ", ": ", ":", " : ", " ", " - ", ":  ", " = ", "\t"))
        self.shout = self.r.random() < 0.12
        self.width = self.r.randint(28, 64)
        self.seller_street = names.street(self.r, self.facts.language)
        self.seller_town = names.town(self.r, self.facts.language)
        self.buyer_street = names.street(self.r, self.facts.language)
        self.buyer_town = names.town(self.r, self.facts.language)

    def label(self, word: str) -> str:
        """How this document words a label; held-out wordings when it is for evaluating those."""
        known, held = readings(self.facts.language, word)
        text = self.r.choice(held if self.held_labels and held else known)
        text = text.replace("{p}", str(self.facts.percent))
        if self.shout and "{" not in text:
            text = text.upper()
        if self.facts.money.place == "label" and word in ("total", "net", "tax"):
            self.currency_shown = True
            text = f"{text} {self.r.choice(('({c})', '{c}', 'in {c}')).format(c=self.facts.money.currency)}"
        return text

    def stated(self) -> list[str]:
        """A line that names the currency, where nothing else on the page does."""
        money = self.facts.money
        if self.currency_shown or money.place not in ("stated", "label"):
            return []
        self.currency_shown = True
        return [self.r.choice(readings(self.facts.language, "stated")[0]).format(c=money.currency)]

    def any_date(self) -> str:
        """Another day, in the same style."""
        return values.write_date(values.day(self.r), self.date_style, self.facts.language)

    def totals(self) -> list[tuple[str, str]]:
        """Net, tax and total with their labels, as far as they are shown; marks them as written."""
        facts = self.facts
        pairs: list[tuple[str, str]] = []
        if facts.with_net:
            pairs.append((self.label("net"), facts.money.show(facts.net)))
        if facts.with_tax:
            pairs.append((self.label("tax"), facts.money.show(facts.tax)))
        pairs.append((self.label("total"), facts.money.show(facts.total, total=True)))
        self.written |= {"net", "tax", "total"}
        return pairs

    def pairs(self) -> list[tuple[str, str]]:
        """Number, date and due date as far as they are still to be written, among distractors, in any order."""
        facts, r = self.facts, self.r
        wanted = [("number", facts.number), ("date", facts.date), ("due", facts.due)]
        pairs = [(self.label(word), text) for word, text in wanted if text is not None and word not in self.written]
        self.written |= {"number", "date", "due"}
        others = {
            "po": values.number(r, r.randint(2008, 2029)),
            "customer": str(r.randrange(10 ** r.randint(3, 7))),
            "ordered": self.any_date(),
            "delivered": self.any_date(),
            "taxid": f"{facts.language.upper()}{r.randrange(10**9)}",
        }
        chosen = r.sample(sorted(others), r.choice((0, 0, 1, 1, 2, 3)))
        extra = [(self.label(word), others[word]) for word in chosen]
        if r.random() < 0.5:
            pairs += extra
            r.shuffle(pairs)
        else:
            for each in extra:
                pairs.insert(r.randint(0, len(pairs)), each)
        return pairs

    def seller_lines(self) -> list[str]:
        """The seller with its address."""
        lines = [self.facts.seller, self.seller_street, self.seller_town]
        if self.r.random() < 0.2:
            lines.append(self.r.choice(readings(self.facts.language, "country")[0]))
        return lines

    def buyer_lines(self) -> list[str]:
        """The buyer with its address."""
        return [self.facts.buyer, self.buyer_street, self.buyer_town]

    def two_columns(self, left: list[str], right: list[str]) -> list[str]:
        """Two blocks side by side, as text extraction gives columns: with runs of blanks between."""
        width = max(self.width, *(len(each) + 2 for each in left)) if left else self.width
        height = max(len(left), len(right))
        left = left + [""] * (height - len(left))
        right = right + [""] * (height - len(right))
        return [f"{a:<{width}}{b}".rstrip() for a, b in zip(left, right, strict=True)]
