"""Categories that the user defines: a description and a few examples each, in a file; learned from corrections.

    [category.order]
    description = "A customer orders something or asks for an offer"
    examples = ["Please send us 20 boxes of ...", "Was kosten 500 Stück?"]
    owner = "sales@example.org"

No model and no network: texts are compared by their words, and what is not like anything known is "don't know".
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from skerry.errors import DataError
from skerry_workflows.email import tokens

UNKNOWN = ""
SURE = 0.8
"""From this probability on nobody is asked."""
_SHARPNESS = 14.0
"""How fast a difference in likeness becomes certainty: 0.1 more alike is four times as likely."""
_NOTHING = 0.16
"""How much alike a text is to a category that it has nothing to do with, by chance."""
_PIECES, _PAIRS = 0.35, 1.4
"""What a piece of a word, and a pair of words, weighs against a word."""
_LESSONS_MAX = 60
"""So many of the newest corrections of a category count."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """One category. `owner` is who handles it, `priority` is added to a message's (0: as usual, 1: sooner)."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    owner: str = ""
    priority: int = 0
    draft: bool = True
    """Whether an answer is drafted."""


DEFAULTS: Final = (
    Category(
        name="order",
        description="A customer orders something, or asks for an offer or a price",
        examples=(
            "Please send us 20 boxes of screws",
            "Could you make us an offer for 500 labels?",
            "Hiermit bestellen wir 12 Stück",
            "Was kostet die Lieferung von 200 Karton?",
            "Nous souhaitons commander dix exemplaires",
        ),
    ),
    Category(
        name="invoice",
        description="An invoice, a bill, a credit note or a reminder to pay",
        examples=(
            "Please find attached our invoice for March",
            "Anbei erhalten Sie unsere Rechnung, zahlbar innerhalb von 14 Tagen",
            "This is a reminder that your payment is overdue",
            "Veuillez trouver ci-joint notre facture",
        ),
        draft=False,
    ),
    Category(
        name="complaint",
        description="Something is broken, missing, late or wrong, and the customer wants it mended",
        examples=(
            "The parcel arrived damaged and two lamps are missing",
            "We are still waiting for our delivery",
            "Die Ware ist defekt, wir bitten um Ersatz",
        ),
        priority=1,
    ),
    Category(
        name="meeting",
        description="Somebody wants to meet, to talk on the phone, or to move or cancel an appointment",
        examples=("Could we meet next Tuesday?", "Können wir unseren Termin verschieben?", "Are you free for a call?"),
    ),
    Category(
        name="application",
        description="Somebody applies for a job",
        examples=("Attached you find my application and my CV", "Hiermit bewerbe ich mich um die Stelle"),
    ),
)
"""Categories for an office, until the user writes their own."""


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest category (`UNKNOWN`: none of them), how likely it is, and the next ones.

    `defined`: whether anybody has said what it means; a bare name is never sure, and neither is "none of these names".
    """

    category: str
    probability: float
    others: tuple[tuple[str, float], ...] = ()
    defined: bool = True

    @property
    def sure(self) -> bool:
        """Whether nobody has to be asked."""
        return self.defined and self.probability >= SURE


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    description: str = ""
    examples: tuple[str, ...] = ()
    owner: str = ""
    priority: int = 0
    draft: bool = True


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    category: dict[str, _Table]


def load(path: Path) -> tuple[Category, ...]:
    """The categories of a file. Raises `DataError` that says what is wrong with it."""
    hint = "write [category.NAME] with a description and examples"
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=hint) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{path}: {error}", hint=hint) from None
    return tuple(Category(name=name, **msgspec.structs.asdict(table)) for name, table in file.category.items())


class Classifier:
    """Compares texts with the descriptions, examples and corrected messages of categories."""

    def __init__(self, categories: Sequence[Category], lessons: Mapping[str, Sequence[str]] | None = None) -> None:
        """`lessons` are texts by category that a person put there, newest first."""
        self._texts: list[tuple[str, Counter[str]]] = []
        taught = {name for name, texts in (lessons or {}).items() if texts}
        self._bare = {each.name for each in categories if not (each.description or each.examples)} - taught
        for category in categories:
            name = category.name.replace("_", " ").replace("-", " ")
            self._add(category.name, f"{name}. {category.description}")
            for text in (*category.examples, *(lessons or {}).get(category.name, ())[:_LESSONS_MAX]):
                self._add(category.name, text)
        spread = Counter(token for _, counted in self._texts for token in counted)
        total = len(self._texts) + 1
        self._rarity = {token: math.log(total / count) + 0.3 for token, count in spread.items()}
        self._strange = math.log(total) + 0.3
        self._known = [(name, self._weigh(counted)) for name, counted in self._texts]
        self._norms = [_norm(weighed) for _, weighed in self._known]

    def _add(self, name: str, text: str) -> None:
        self._texts.append((name, tokens.counts(text)))

    def _weigh(self, counted: Counter[str]) -> dict[str, float]:
        weighed: dict[str, float] = {}
        for token, count in counted.items():
            kind = _PIECES if token.startswith("#") else _PAIRS if " " in token else 1.0
            weighed[token] = kind * (1 + math.log(count)) * self._rarity.get(token, self._strange * 0.5)
        return weighed

    def likeness(self, text: str) -> dict[str, float]:
        """How much alike the text is to the nearest texts of each category, from 0 to 1."""
        asked = self._weigh(tokens.counts(text))
        norm = _norm(asked)
        best: dict[str, list[float]] = {}
        for (name, weighed), known in zip(self._known, self._norms, strict=True):
            short, long = (asked, weighed) if len(asked) < len(weighed) else (weighed, asked)
            dot = sum(value * long[token] for token, value in short.items() if token in long)
            best.setdefault(name, []).append(dot / (norm * known) if norm and known else 0.0)
        return {name: _together(sorted(found, reverse=True)) for name, found in best.items()}

    def guess(self, text: str) -> Guess:
        """The likeliest category, or that none of them is likely."""
        likeness = self.likeness(text)
        weights = {name: math.exp(_SHARPNESS * value) for name, value in likeness.items()}
        weights[UNKNOWN] = math.exp(_SHARPNESS * _NOTHING)
        total = sum(weights.values())
        ordered = sorted(((name, value / total) for name, value in weights.items()), key=lambda each: -each[1])
        (first, probability), *rest = ordered
        defined = first not in self._bare if first else not self._bare
        return Guess(category=first, probability=round(probability, 4), others=tuple(rest[:3]), defined=defined)

    def best(self, text: str) -> str:
        """The category that is most alike, however little it is."""
        likeness = self.likeness(text)
        return max(likeness, key=lambda name: likeness[name]) if likeness else UNKNOWN


def _norm(weighed: Mapping[str, float]) -> float:
    return math.sqrt(sum(value * value for value in weighed.values()))


def _together(found: Sequence[float]) -> float:
    """The nearest text counts most, the next two a little: one odd example does not decide alone."""
    return found[0] if len(found) < 2 else 0.8 * found[0] + 0.2 * sum(found[:3]) / len(found[:3])
