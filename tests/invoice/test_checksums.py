"""VAT ids, IBANs, currencies: right ones pass, one wrong digit does not."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skerry_workflows.invoice import ibans, vat_ids
from skerry_workflows.invoice.currencies import ISO_4217
from tests.invoice.make_demo import iban
from tests.invoice.synthetic import french_vat_id, german_vat_id

# Examples that tax offices and the documentation of validators print.
VAT_IDS = [
    "ATU13585627", "BE0428759497", "CHE-100.155.212", "DE 987654328", "DK13585628", "EE100931558", "EL094259216",
    "ESJ99216582", "ES54362315K", "FI20774740", "FR40303265045", "GB980780684", "HR33392005961", "HU12892312",
    "IE6433435F", "IE6433435OA", "IT00743110157", "LT119511515", "LU15027442", "MT11679112", "NL004495445B01",
    "NL123456789B13", "NO995525828MVA", "PL8567346215", "PT501964843", "RO18547290", "SE556042722001", "SI50223054",
    "SK2022749619",
]  # fmt: skip
IBANS = [
    "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606",
    "NL91ABNA0417164300",
    "BE68 5390 0754 7034", "ES91 2100 0418 4502 0005 1332", "IT60 X054 2811 1010 0000 0123 456",
    "CH93 0076 2011 6238 5295 7",
    "AT61 1904 3002 3457 3201", "NO93 8601 1117 947", "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "PL61 1090 1014 0000 0712 1981 2874",
]  # fmt: skip


@pytest.mark.parametrize("vat_id", VAT_IDS)
def test_a_right_vat_id(vat_id: str) -> None:
    assert vat_ids.problem(vat_id) is None


@pytest.mark.parametrize("vat_id", VAT_IDS)
def test_a_vat_id_with_another_digit(vat_id: str) -> None:
    """Of the ten digits in one place one fits, or two where a country has two schemes (Britain, the Netherlands)."""
    text, place = vat_ids.compact(vat_id), 6
    others = [text[:place] + d + text[place + 1 :] for d in "0123456789" if d != text[place]]
    assert sum(vat_ids.problem(other) is None for other in others) <= 1


@pytest.mark.parametrize("vat_id", ["ATU987654321", "DE12345678", "FR1234", "IT123", "XX", "123456789", ""])
def test_a_vat_id_in_another_form(vat_id: str) -> None:
    assert vat_ids.problem(vat_id)


def test_a_vat_id_of_a_country_that_is_not_known_here() -> None:
    assert vat_ids.problem("JP1234567890") is None


@given(st.integers(), st.integers(min_value=2, max_value=10), st.integers(min_value=1, max_value=9))
def test_a_changed_digit_is_found(seed: int, place: int, shift: int) -> None:
    """Both of these checks find every change of a single digit."""
    for vat_id in (german_vat_id(random.Random(seed)), french_vat_id(random.Random(seed))):
        assume(place < len(vat_id))
        digit = str((int(vat_id[place]) + shift) % 10)
        assert vat_ids.problem(vat_id) is None
        assert vat_ids.problem(vat_id[:place] + digit + vat_id[place + 1 :]) is not None


@pytest.mark.parametrize("text", IBANS)
def test_a_right_iban(text: str) -> None:
    assert ibans.problem(text) is None


@given(st.text("0123456789", min_size=18, max_size=18), st.integers(4, 21), st.integers(1, 9))
def test_a_changed_digit_of_an_iban_is_found(account: str, place: int, shift: int) -> None:
    right = iban("DE", account)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert ibans.problem(right) is None
    assert ibans.problem(wrong) == "its check digits do not fit"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DE893704004405320130", "characters"),
        ("ZZ89370400440532013000", "no country"),
        ("hello", "not written"),
        ("", "not written"),
    ],
)
def test_what_is_wrong_with_an_iban(text: str, why: str) -> None:
    assert why in (ibans.problem(text) or "")


@pytest.mark.parametrize("text", IBANS)
def test_an_iban_is_found_in_its_line(text: str) -> None:
    line = f"Pay to {text} BIC NORWDE2X within 10 days"
    assert [ibans.compact(line[a:b]) for a, b in ibans.find(line)] == [ibans.compact(text)]


def test_an_article_number_is_no_iban() -> None:
    assert list(ibans.find("Article DE12345678901234567890 red")) == []


@pytest.mark.parametrize("text", VAT_IDS)
def test_a_vat_id_is_found_in_its_line(text: str) -> None:
    line = f"VAT {text} - reg. 7712"
    assert [vat_ids.compact(line[a:b]) for a, b in vat_ids.find(line)][:1] == [vat_ids.compact(text)]


def test_currencies() -> None:
    assert {"EUR", "USD", "GBP", "CHF", "JPY", "PLN"} <= ISO_4217
    assert not {"EURO", "DEM", "HRK", "XXX", "XTS", "XAU", "eur"} & ISO_4217
    assert all(len(code) == 3 and code.isupper() for code in ISO_4217)
