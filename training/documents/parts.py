"""The parts of an invoice's page: ways to write seller, buyer, title, dates, items, totals and foot.

A part takes a scribe and returns lines. `training.documents.invoice` composes families of layouts from them by name.
"""

from __future__ import annotations

from collections.abc import Callable

from training.documents import names, values
from training.documents.facts import Scribe
from training.documents.words import readings

Part = Callable[[Scribe], list[str]]


# ---- the seller, and the buyer ---------------------------------------------------------------------------------------


def top(s: Scribe) -> list[str]:
    """Name, street, town."""
    return s.seller_lines()


def bare(s: Scribe) -> list[str]:
    """The name alone."""
    return [s.facts.seller]


def oneline(s: Scribe) -> list[str]:
    """The line above a letter's window."""
    return [s.r.choice((" · ", ", ", " - ", " | ", " • ")).join(s.seller_lines())]


def letterhead(s: Scribe) -> list[str]:
    """Name and address with everything that a letterhead has."""
    phone = f"{s.label('phone')} {values.phone(s.r)}"
    return [*s.seller_lines(), phone, names.mailbox(s.r, s.facts.seller), f"{s.label('taxid')} {s.r.randrange(10**9)}"]


def right(s: Scribe) -> list[str]:
    """Name and address at the right margin."""
    return [" " * s.width + each for each in s.seller_lines()]


def labelled(s: Scribe) -> list[str]:
    """`Seller: ...`, the address behind it or below."""
    first = f"{s.label('seller')}{s.separator}{s.facts.seller}"
    return [first, *s.seller_lines()[1:]] if s.r.random() < 0.6 else [first]


def under_label(s: Scribe) -> list[str]:
    """The seller's label on a line of its own, the seller below."""
    return [s.label("seller") + s.r.choice(("", ":")), *s.seller_lines()]


def sides(s: Scribe) -> list[str]:
    """Seller at the left, buyer at the right."""
    return s.two_columns(s.seller_lines(), [s.label("buyer"), *s.buyer_lines()])


def headed(s: Scribe) -> list[str]:
    """Two headed columns; seller and buyer change places."""
    left, other = [s.label("seller"), *s.seller_lines()], [s.label("buyer"), *s.buyer_lines()]
    return s.two_columns(left, other) if s.r.random() < 0.6 else s.two_columns(other, left)


def buyer(s: Scribe) -> list[str]:
    """The buyer under its label."""
    return [s.label("buyer") + s.r.choice(("", ":")), *s.buyer_lines()]


def buyer_line(s: Scribe) -> list[str]:
    """The buyer behind its label."""
    return [f"{s.label('buyer')}{s.separator}{s.r.choice((s.facts.buyer, ', '.join(s.buyer_lines())))}"]


def window(s: Scribe) -> list[str]:
    """The buyer as a letter has it: no label at all."""
    return s.buyer_lines()


# ---- the title -------------------------------------------------------------------------------------------------------


def title(s: Scribe) -> list[str]:
    """What this page is."""
    text = s.label("title")
    return [
        s.r.choice((text, text.upper(), " " * s.width + text, " ".join(text.upper()) if s.r.random() < 0.3 else text))
    ]


def title_number(s: Scribe) -> list[str]:
    """The title with the number."""
    s.written.add("number")
    return [f"{s.label('title')} {s.r.choice(('', '', 'Nr. ', 'No. ', '# ', 'n. ', '- '))}{s.facts.number}"]


def title_both(s: Scribe) -> list[str]:
    """The title with number and date."""
    s.written |= {"number", "date"}
    joint = {"en": " of ", "de": " vom ", "fr": " du ", "es": " de ", "it": " del ", "nl": " van "}[s.facts.language]
    return [f"{s.label('title')} {s.facts.number}{s.r.choice((joint, ', ', ' / '))}{s.facts.date}"]


def place_date(s: Scribe) -> list[str]:
    """Town and date, as letters begin."""
    s.written.add("date")
    link = {"en": ", ", "de": ", den ", "fr": ", le ", "es": ", a ", "it": ", ", "nl": ", "}[s.facts.language]
    return [f"{names.word(s.r)}{link}{s.facts.date}"]


# ---- number, date, due -----------------------------------------------------------------------------------------------


def lines(s: Scribe) -> list[str]:
    """`Label: value`, one a line."""
    return [f"{label}{s.separator}{text}" for label, text in s.pairs()]


def padded(s: Scribe) -> list[str]:
    """Labels and values in two columns."""
    pairs = s.pairs()
    width = max(len(label) for label, _ in pairs) + s.r.choice((1, 2, 4, 8, 16)) if pairs else 0
    return [f"{label:<{width}}{text}" for label, text in pairs]


def colon_padded(s: Scribe) -> list[str]:
    """The same with a colon at the label."""
    pairs = s.pairs()
    width = max(len(label) for label, _ in pairs) + 3 if pairs else 0
    return [f"{label + ':':<{width}}{text}" for label, text in pairs]


def dotted(s: Scribe) -> list[str]:
    """Dots from label to value."""
    pairs = s.pairs()
    width = max(len(label) for label, _ in pairs) + s.r.randint(3, 9) if pairs else 0
    return [f"{label:.<{width}} {text}" for label, text in pairs]


def stacked(s: Scribe) -> list[str]:
    """The label on one line, its value on the next."""
    return [line for label, text in s.pairs() for line in (label, text)]


def row(s: Scribe) -> list[str]:
    """A row of labels, and a row of values below it."""
    pairs = s.pairs()
    widths = [max(len(label), len(text)) + s.r.randint(2, 6) for label, text in pairs]
    heads = "".join(f"{label:<{width}}" for (label, _), width in zip(pairs, widths, strict=True))
    below = "".join(f"{text:<{width}}" for (_, text), width in zip(pairs, widths, strict=True))
    return [heads.rstrip(), below.rstrip()]


def piped(s: Scribe) -> list[str]:
    """Everything on one line."""
    return [
        s.r.choice((" | ", "   ", " / ", ", ", "; ")).join(f"{label}{s.separator}{text}" for label, text in s.pairs())
    ]


def right_block(s: Scribe) -> list[str]:
    """Pairs at the right margin."""
    return [" " * s.width + f"{label}{s.separator}{text}" for label, text in s.pairs()]


def two_pairs(s: Scribe) -> list[str]:
    """Two pairs a line."""
    cells = [f"{label}{s.separator}{text}" for label, text in s.pairs()]
    return s.two_columns(cells[::2], cells[1::2])


def beside_buyer(s: Scribe) -> list[str]:
    """The buyer at the left, the pairs at the right."""
    return s.two_columns(
        [s.label("buyer"), *s.buyer_lines()], [f"{label}{s.separator}{text}" for label, text in s.pairs()]
    )


def beside_window(s: Scribe) -> list[str]:
    """An unlabelled buyer at the left, padded pairs at the right."""
    return s.two_columns(s.buyer_lines(), padded(s))


def labels_values(s: Scribe) -> list[str]:
    """First all labels, then all values: what extraction makes of a two-column box."""
    pairs = s.pairs()
    return [*(label for label, _ in pairs), *(text for _, text in pairs)]


def reversed_pairs(s: Scribe) -> list[str]:
    """The value before its label."""
    return [s.r.choice(("{v} ({k})", "{v}  {k}", "{v} - {k}")).format(k=label, v=text) for label, text in s.pairs()]


def arrows(s: Scribe) -> list[str]:
    """Signs that no other family has."""
    return [s.r.choice(("{k} -> {v}", "[{k}] {v}", "{k} = <{v}>", "* {k}; {v}")).format(k=k, v=v) for k, v in s.pairs()]


# ---- items -----------------------------------------------------------------------------------------------------------


def table(s: Scribe) -> list[str]:
    """A table with its header, columns padded."""
    money = s.facts.money
    rows = [[s.label("what"), s.label("many"), s.label("price"), s.label("sum")]]
    rows += [[each.what, str(each.many), money.write(each.price), money.write(each.sum)] for each in s.facts.items]
    gap = s.r.choice((2, 3, 4, 8))
    widths = [max(len(line[i]) for line in rows) + gap for i in range(4)]
    return ["".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in rows]


def tight_table(s: Scribe) -> list[str]:
    """A table whose columns extraction has pushed together."""
    money = s.facts.money
    head = " ".join((s.label("what"), s.label("many"), s.label("price"), s.label("sum")))
    return [head, *(f"{x.what} {x.many} {money.write(x.price)} {money.show(x.sum)}" for x in s.facts.items)]


def simple(s: Scribe) -> list[str]:
    """`2 x Paper ... 12.00`."""
    pattern = s.r.choice(("{m} x {w}  {a}", "{w} {a}", "- {w}: {a}", "{m} {w} à {p} = {a}"))
    money = s.facts.money
    return [pattern.format(m=x.many, w=x.what, p=money.write(x.price), a=money.show(x.sum)) for x in s.facts.items]


def positions(s: Scribe) -> list[str]:
    """Numbered positions of two lines."""
    money = s.facts.money
    return [
        line
        for i, x in enumerate(s.facts.items, 1)
        for line in (f"{i}. {x.what}", f"   {x.many} x {money.write(x.price)}   {money.show(x.sum)}")
    ]


# ---- totals ----------------------------------------------------------------------------------------------------------


def t_lines(s: Scribe) -> list[str]:
    """`Label: amount`."""
    return [f"{label}{s.separator}{text}" for label, text in s.totals()]


def t_right(s: Scribe) -> list[str]:
    """Labels and amounts at the right margin, amounts flush."""
    return [" " * s.width + f"{label:<22}{text:>16}" for label, text in s.totals()]


def t_padded(s: Scribe) -> list[str]:
    """Labels left, amounts far right."""
    return [f"{label:<{s.width}}{text:>14}" for label, text in s.totals()]


def t_stacked(s: Scribe) -> list[str]:
    """The label on one line, the amount on the next."""
    return [line for pair in s.totals() for line in pair]


def t_row(s: Scribe) -> list[str]:
    """A row of labels above a row of amounts."""
    pairs = s.totals()
    widths = [max(len(label), len(text)) + s.r.randint(2, 5) for label, text in pairs]
    heads = "".join(f"{label:<{width}}" for (label, _), width in zip(pairs, widths, strict=True))
    return [
        heads.rstrip(),
        "".join(f"{text:<{width}}" for (_, text), width in zip(pairs, widths, strict=True)).rstrip(),
    ]


def t_first(s: Scribe) -> list[str]:
    """The total before what it is made of."""
    return [f"{label}{s.separator}{text}" for label, text in reversed(s.totals())]


def t_dots(s: Scribe) -> list[str]:
    """Dots from label to amount."""
    return [f"{label:.<{s.width}} {text}" for label, text in s.totals()]


def t_extra(s: Scribe) -> list[str]:
    """Amounts between that are none of the three."""
    pairs = s.totals()
    extra = (s.label("paid"), s.facts.money.show(s.r.randint(100, 99_999) // 100 * 100))
    pairs.insert(s.r.randrange(len(pairs)), extra)
    return [f"{label}{s.separator}{text}" for label, text in pairs]


def t_labels(s: Scribe) -> list[str]:
    """First the labels, then the amounts."""
    pairs = s.totals()
    return [*(label for label, _ in pairs), *(text for _, text in pairs)]


def t_piped(s: Scribe) -> list[str]:
    """All on one line."""
    return [s.r.choice((" | ", "   ", "; ")).join(f"{label}{s.separator}{text}" for label, text in s.totals())]


def t_reversed(s: Scribe) -> list[str]:
    """The amount before its label."""
    return [f"{text}  {label}" for label, text in s.totals()]


# ---- the foot --------------------------------------------------------------------------------------------------------


def bank(s: Scribe) -> list[str]:
    """Where to pay."""
    code = "".join(s.r.choice("ABCDEFGHKLMNP") for _ in range(8))
    return [
        s.r.choice(
            (
                f"IBAN {values.iban(s.r)}",
                f"IBAN: {values.iban(s.r)}  BIC {code}",
                f"{names.word(s.r)} Bank, {values.iban(s.r)}",
            )
        )
    ]


def holder(s: Scribe) -> list[str]:
    """Where to pay, with the seller's name: for some layouts the only place that has it."""
    return [f"{s.label('holder')}: {s.facts.seller}", f"IBAN {values.iban(s.r)}"]


def page(s: Scribe) -> list[str]:
    """The number of the page."""
    return [s.label("page").format(n=1, m=s.r.randint(1, 3))]


def terms(s: Scribe) -> list[str]:
    """Terms that name no day."""
    return [
        s.r.choice(readings(s.facts.language, "terms")[0]).format(
            n=s.r.choice((7, 10, 14, 30, 60)), p=s.r.choice((2, 3))
        )
    ]


def legal(s: Scribe) -> list[str]:
    """The seller once more, with its numbers."""
    tail = f"{s.label('taxid')}: {s.r.randrange(10**9)}"
    return [s.r.choice((" · ", " | ", ", ")).join((s.facts.seller, s.seller_town, tail))]


def contact(s: Scribe) -> list[str]:
    """Telephone and mail."""
    return [f"{s.label('phone')}: {values.phone(s.r)}", names.mailbox(s.r, s.facts.seller)]


def rule(s: Scribe) -> list[str]:
    """A line across the page."""
    return [s.r.choice("-=_*") * s.r.randint(8, 40)]


def gap(s: Scribe) -> list[str]:
    """Nothing."""
    return [""]


PARTS: dict[str, Part] = {
    each.__name__: each
    for each in (
        top, bare, oneline, letterhead, right, labelled, under_label, sides, headed, buyer, buyer_line, window,
        title, title_number, title_both, place_date,
        lines, padded, colon_padded, dotted, stacked, row, piped, right_block, two_pairs, beside_buyer, beside_window,
        labels_values, reversed_pairs, arrows,
        table, tight_table, simple, positions,
        t_lines, t_right, t_padded, t_stacked, t_row, t_first, t_dots, t_extra, t_labels, t_piped, t_reversed,
        bank, holder, page, terms, legal, contact, rule, gap,
    )
}  # fmt: skip
