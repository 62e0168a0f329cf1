"""Amounts and dates mean what people who write them mean, or nothing where that is not certain."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.invoice import amounts, dates

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False, allow_infinity=False)
DAYS = st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2099, 12, 31))


def written(amount: Decimal, group: str, mark: str) -> str:
    return f"{amount:,.2f}".replace(",", "#").replace(".", mark).replace("#", group)


@given(
    AMOUNTS, st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ","), ("\u2019", ".")])
)
def test_every_usual_format_reads_as_the_amount(amount: Decimal, style: tuple[str, str]) -> None:
    text = f"Total: {written(amount, *style)} EUR"
    assert [a.value for a in amounts.find(text)] == [amount]


@given(AMOUNTS, st.sampled_from(["€ {}", "{} €", "EUR{}", "{}EUR", "({})", "-{}", "{}-", "\u2212{}", "-€{}", "£{}"]))
def test_signs_and_symbols_around_an_amount(amount: Decimal, around: str) -> None:
    found = [a.value for a in amounts.find(around.format(written(amount, ",", ".")))]
    negative = any(sign in around for sign in "(-\u2212")
    assert found == [-amount if negative and amount else amount]


@pytest.mark.parametrize(
    "text", ["03.05.2023", "2023-05-03", "12/31", "R-2024-17", "v1.2.3", "10:30", "AB12", "12AB", "250g", "1.2.3.4"]
)
def test_what_only_looks_like_an_amount(text: str) -> None:
    assert list(amounts.find(text)) == []


def test_one_thousand_or_one_point_zero() -> None:
    """Three digits behind one separator can be either; the rest of the document may say which."""
    assert next(amounts.find("1.000")).value is None
    assert next(amounts.find("1.000", ",")).value == 1000
    assert next(amounts.find("1.000", ".")).value == 1
    assert next(amounts.find("0.035")).value == Decimal("0.035")


@pytest.mark.parametrize(
    ("text", "mark"),
    [("1.234,56 and 7,90", ","), ("1,234.56", "."), ("1,00 and 1.00", None), ("12", None), ("3.5.2023", None)],
)
def test_the_decimal_mark_of_a_document(text: str, mark: str | None) -> None:
    assert amounts.decimal_mark(text) == mark


@given(
    DAYS,
    st.sampled_from(
        ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d. %m. %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%d. %B %Y"]
    ),
)
def test_a_date_that_can_mean_one_day(day: dt.date, form: str) -> None:
    assert [d.value(None) for d in dates.find(f"on {day.strftime(form)}, that is")] == [day]


@given(DAYS, st.sampled_from(["/", "-"]))
def test_day_and_month_are_not_guessed(day: dt.date, separator: str) -> None:
    text = day.strftime(f"%d{separator}%m{separator}%Y")
    found = next(dates.find(text))
    assert found.value("dmy") == day
    assert (found.value(None) is None) == (day.day <= 12 and day.day != day.month)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("17 april 2023", (2023, 4, 17)),
        ("3. März 2024", (2024, 3, 3)),
        ("1er août 2023", (2023, 8, 1)),
        ("12 de marzo de 2024", (2024, 3, 12)),
        ("7 dicembre 2022", (2022, 12, 7)),
        ("5 maja 2024", (2024, 5, 5)),
        ("1st January 2025", (2025, 1, 1)),
        ("Sept 9, 2024", (2024, 9, 9)),
        ("31.12.24", (2024, 12, 31)),
    ],
)
def test_dates_in_words(text: str, day: tuple[int, int, int]) -> None:
    assert [d.value(None) for d in dates.find(text)] == [dt.date(*day)]


@pytest.mark.parametrize(
    "text", ["31.02.2024", "2024-13-01", "99/99/2024", "12 potatoes 2024", "1.2.3", "192.168.1.10"]
)
def test_no_dates(text: str) -> None:
    assert list(dates.find(text)) == []


def test_the_order_of_a_document() -> None:
    assert dates.order_of("13/01/2024 and 02/03/2024") == "dmy"
    assert dates.order_of("01/13/2024 and 02/03/2024") == "mdy"
    assert dates.order_of("13/01/2024 and 01/13/2024") is None
    assert dates.order_of("02/03/2024") is None
