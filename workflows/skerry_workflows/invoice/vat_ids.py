"""VAT identification numbers:

the form of every EU country, Switzerland, Norway and Britain, and the check digits of most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

# What follows the country's two letters (CHE: three), compact and in upper case.
FORMATS: Final = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CHE": r"\d{9}(?:MWST|TVA|IVA)?", "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}", "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES":
    r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]", "FI": r"\d{8}", "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "GB":
    r"\d{9}(?:\d{3})?|GD[0-4]\d\d|HA[5-9]\d\d", "HR": r"\d{11}", "HU": r"\d{8}", "IE":
    r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]", "IT": r"\d{11}", "LT": r"\d{9}(?:\d{3})?", "LU": r"\d{8}", "LV":
    r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "NO": r"\d{9}(?:MVA)?", "PL": r"\d{10}", "PT": r"\d{9}", "RO":
    r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"\d{9}(?:\d{3})?|GD[0-4]\d\d|HA[5-9]\d\d",
}  # fmt: skip


def compact(vat_id: str) -> str:
    """Upper case, without blanks, dots and dashes. Greece is EL, as in VAT ids, not GR."""
    text = re.sub(r"[\s.\-/]", "", vat_id).upper()
    return "EL" + text[2:] if text.startswith("GR") else text


def problem(vat_id: str) -> str | None:
    """What is wrong with a VAT id, as a clause for people; None if nothing is, or if its country is not known here."""
    country, body = split(compact(vat_id))
    form = FORMATS.get(country)
    if form is None:
        return (
            None if re.fullmatch(r"[A-Z]{2}[A-Z0-9+*]{2,13}", compact(vat_id)) else "it does not begin with a country"
        )
    if not re.fullmatch(form, body):
        return f"it is not written like one of {country}"
    check = _CHECKS.get(country)
    return "its check digits do not fit" if check and not check(body) else None


def split(vat_id: str) -> tuple[str, str]:
    """Country and rest of a compact VAT id."""
    length = 3 if vat_id.startswith("CHE") else 2
    return vat_id[:length], vat_id[length:]


_START = re.compile(r"(?<![A-Za-z0-9])(?:CHE|" + "|".join(k for k in FORMATS if len(k) == 2) + r")(?=[ \-]?[A-Z0-9])")
_LENGTH_MAX = 20


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where VAT ids stand in `text`: whatever has the form of one, its groups kept apart by blanks, dots or dashes
    or not.

    Forms are loose ("DE" and nine digits), so the caller should look at the words before it or at `problem`.
    """
    for match in _START.finditer(text):
        country = match[0]
        body, end, best = "", match.end(), None
        while end < len(text) and len(body) < _LENGTH_MAX:
            char = text[end]
            if not (char.isascii() and char.isalnum()):
                if char not in " .-" or not text[end + 1 : end + 2].isalnum():
                    break
            else:
                body += char
            end += 1
            whole = not text[end : end + 1].isalnum()
            if char.isalnum() and whole and re.fullmatch(FORMATS[country], body):
                best = end
        if best:
            yield match.start(), best


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def _mod_11_10(digits: str) -> bool:
    """ISO 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def _austria(body: str) -> bool:
    digits = body[1:]
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(digits[:7])]
    return (96 - sum(n // 10 + n % 10 for n in doubled)) % 10 == int(digits[7])


def _czechia(body: str) -> bool:
    if len(body) != 8:
        return True  # persons: built from a birth date, with rules of its own
    return {10: 0, 11: 1}.get(a := 11 - _weighted(body, range(8, 1, -1)) % 11, a) == int(body[7])


def _finland(body: str) -> bool:
    rest = _weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and (11 - rest) % 11 == int(body[7])


def _france(body: str) -> bool:
    # Keys with letters belong to a newer scheme, and Monaco's numbers (000...) follow none.
    if not body[:2].isdigit() or body[2:5] == "000":
        return True
    return (12 + 3 * (int(body[2:]) % 97)) % 97 == int(body[:2])


def _spain(body: str) -> bool:
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    person = body.translate(str.maketrans("XYZ", "012", "KLM")) if body[0] in "XYZKLM" else body
    if person[:-1].isdigit():
        return letters[int(person[:-1]) % 23] == person[-1]
    doubled = [int(d) * (1 if i % 2 else 2) for i, d in enumerate(body[1:8])]
    check = -sum(n // 10 + n % 10 for n in doubled) % 10
    return body[8] in (str(check), "JABCDEFGHI"[check])


def _britain(body: str) -> bool:
    if not body.isdigit():
        return True
    total = _weighted(body, range(8, 1, -1)) + int(body[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


def _ireland(body: str) -> bool:
    if not body[:7].isdigit():
        return True
    second = ord(body[8]) - 64 if len(body) == 9 else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(_weighted(body, range(8, 1, -1)) + 9 * second) % 23] == body[7]


def _lithuania(body: str) -> bool:
    if len(body) != 9:
        return True
    rest = _weighted(body, range(1, 9)) % 11
    if rest == 10:
        rest = _weighted(body, (3, 4, 5, 6, 7, 8, 9, 1)) % 11 % 10
    return rest == int(body[8])


def _netherlands(body: str) -> bool:
    # Since 2020 sole traders have numbers under the second scheme, which take the letters along.
    old = _weighted(body, range(9, 1, -1)) % 11 == int(body[8])
    return old or int("".join(str(int(c, 36)) for c in "NL" + body)) % 97 == 1


def _mod_11(weights: Sequence[int], length: int) -> Callable[[str], bool]:
    """A check digit of 11 minus the weighted sum, 11 becoming 0 and 10 never used (Switzerland, Norway)."""

    def check(body: str) -> bool:
        digit = (11 - _weighted(body[: length - 1], weights) % 11) % 11
        return digit == int(body[length - 1])

    return check


def _romania(body: str) -> bool:
    digits = body.zfill(10)
    return _weighted(digits, (7, 5, 3, 2, 1, 7, 5, 3, 2)) * 10 % 11 % 10 == int(digits[9])


def _slovenia(body: str) -> bool:
    digit = 11 - _weighted(body, range(8, 1, -1)) % 11
    return digit != 11 and digit % 10 == int(body[7])


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "AT": _austria,
    "BE": lambda b: 97 - int(b[:8]) % 97 == int(b[8:]),
    "CHE": _mod_11((5, 4, 3, 2, 7, 6, 5, 4), 9),
    "CZ": _czechia,
    "DE": _mod_11_10,
    "DK": lambda b: _weighted(b, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0,
    "EE": lambda b: -_weighted(b, (3, 7, 1, 3, 7, 1, 3, 7)) % 10 == int(b[8]),
    "EL": lambda b: _weighted(b, [2**n for n in range(8, 0, -1)]) % 11 % 10 == int(b[8]),
    "ES": _spain,
    "FI": _finland,
    "FR": _france,
    "GB": _britain,
    "HR": _mod_11_10,
    "HU": lambda b: -_weighted(b, (9, 7, 3, 1, 9, 7, 3)) % 10 == int(b[7]),
    "IE": _ireland,
    "IT": _luhn,
    "LT": _lithuania,
    "LU": lambda b: int(b[:6]) % 89 == int(b[6:]),
    "MT": lambda b: 37 - _weighted(b, (3, 4, 6, 7, 8, 9)) % 37 == int(b[6:]),
    "NL": _netherlands,
    "NO": _mod_11((3, 2, 7, 6, 5, 4, 3, 2), 9),
    "PL": lambda b: _weighted(b, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(b[9]),
    "PT": lambda b: (11 - _weighted(b, range(9, 1, -1)) % 11) % 11 % 10 == int(b[8]),
    "RO": _romania,
    "SE": lambda b: _luhn(b[:10]),
    "SI": _slovenia,
    "SK": lambda b: int(b) % 11 == 0,
    "XI": _britain,
}
