"""Rules on codes (BR-CL, BR-CO-09). Lists that change often and decide nothing (units, say) are not looked at."""

from __future__ import annotations

from typing import Final

from skerry_workflows.invoice.currencies import ISO_4217
from skerry_workflows.invoice.en16931.table import Rule
from skerry_workflows.invoice.en16931.terms import Terms

_COUNTRY_CODES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
    MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
    RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
    TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES: Final = frozenset({*_COUNTRY_CODES.split(), "XI", "1A"})
"""ISO 3166-1, with Northern Ireland and Kosovo as the standard's lists have them."""
_VAT_PREFIXES: Final = COUNTRIES | {"EL"}
_VAT_CATEGORIES: Final = frozenset({"AE", "L", "M", "E", "S", "Z", "G", "O", "K", "B"})
_TYPE_CODES: Final = """
    71 80 81 82 83 84 102 130 202 203 204 211 218 219 261 262 295 296 308 325 326 331 380 381 382 383 384 385 386 387
    388 389 390 393 394 395 396 420 456 457 458 471 472 473 500 501 502 503 527 532 553 575 623 633 751 780 817 870
    875 876 877 935
"""
_TYPES: Final = frozenset(_TYPE_CODES.split())
"""UNTDID 1001, as restricted by EN 16931."""
_FORMER: Final = "ANG BGN BOV CHE CHW CLF CNH COU CUC HRK MXV STD USN UYI UYW VED XDR XSU XUA"
_CURRENCIES: Final = ISO_4217 | frozenset(_FORMER.split())
"""All of ISO 4217: with units of account, and with those that went out of use."""
_ICD_FIRST, _ICD_LAST = 2, 244
"""ISO/IEC 6523-2: the codes that are given out."""


def _is_icd(scheme: str) -> bool:
    return len(scheme) == 4 and scheme.isascii() and scheme.isdigit() and _ICD_FIRST <= int(scheme) <= _ICD_LAST


def _prefixed(t: Terms) -> bool:
    parties = (t.seller, t.buyer, *([t.representative] if t.representative else []))
    return all(party.vat_id[:2] in _VAT_PREFIXES for party in parties if party.vat_id)


def _categories(t: Terms) -> set[str]:
    found = (
        {line.category for line in t.lines} | {a.category for a in t.adjustments} | {v.category for v in t.breakdown}
    )
    return found - {""}


CODES: Final = (
    Rule("BR-CO-09", "VAT identifiers begin with a country", _prefixed),
    Rule("BR-CL-01", "the type code is one of UNTDID 1001", lambda t: not t.type_code or t.type_code in _TYPES),
    Rule("BR-CL-04", "the currency is one of ISO 4217", lambda t: not t.currency or t.currency in _CURRENCIES),
    Rule(
        "BR-CL-05",
        "the currency for accounting is one of ISO 4217",
        lambda t: not t.tax_currency or t.tax_currency in _CURRENCIES,
    ),
    Rule("BR-CL-10", "schemes of parties' identifiers are of ISO 6523", lambda t: all(map(_is_icd, t.party_schemes))),
    Rule("BR-CL-11", "schemes of legal registrations are of ISO 6523", lambda t: all(map(_is_icd, t.legal_schemes))),
    Rule("BR-CL-14", "countries are of ISO 3166-1", lambda t: {c for c in t.countries if c} <= COUNTRIES),
    Rule("BR-CL-17", "VAT categories are of UNTDID 5305", lambda t: _categories(t) <= _VAT_CATEGORIES),
    Rule(
        "BR-CL-21",
        "schemes of items' identifiers are of ISO 6523",
        lambda t: all(_is_icd(line.standard_scheme) for line in t.lines if line.standard_scheme),
    ),
)
