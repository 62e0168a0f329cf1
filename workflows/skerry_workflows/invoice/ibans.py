"""IBANs: country lengths (SWIFT registry) and the ISO 13616 checksum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip


def compact(iban: str) -> str:
    """Upper case, without blanks and the dots or dashes some print."""
    return re.sub(r"[\s.\-]", "", iban).upper()


def problem(iban: str) -> str | None:
    """What is wrong with an IBAN, as a clause for people; None if nothing is."""
    text = compact(iban)
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]+", text):
        return "it is not written like an IBAN"
    length = LENGTHS.get(text[:2])
    if length is None:
        return f"no country {text[:2]} uses IBANs"
    if len(text) != length:
        return f"it has {len(text)} characters and {text[:2]} uses {length}"
    if remainder(text) != 1:
        return "its check digits do not fit"
    return None


def remainder(iban: str) -> int:
    """The number that the ISO 7064 checksum makes of a compact IBAN; 1 when it is right."""
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97


_START = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ .\-]?[A-Z0-9]{2})")


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where IBANs stand in `text`: the country's length of letters and digits, in groups or not; or, behind the word
    "IBAN", whatever stands there. The checksum is not looked at: a wrong one is for the verifier to report."""
    for match in _START.finditer(text):
        length = LENGTHS.get(match[0][:2])
        if length is None:
            continue
        end, count = match.start(), 0
        while end < len(text) and count < length and re.match(r"[A-Z0-9]|[ .\-](?=[A-Z0-9])", text[end : end + 2]):
            count += text[end].isalnum()
            end += 1
        whole = count == length and not text[end : end + 1].isalnum()
        # Without its name beside it, and without fitting digits, it is an article number.
        named = "IBAN" in text[max(0, match.start() - 20) : match.start()].upper()
        if whole and (named or problem(text[match.start() : end]) is None):
            yield match.start(), end
