"""What a message wants: whether it asks for something and by when, in which language, how urgent, whether to meet."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal, TypeAlias

import msgspec

from skerry_workflows.email.model import Message
from skerry_workflows.email.route import automatic

Priority: TypeAlias = Literal["low", "normal", "high"]

_ASKS = re.compile(
    r"[?？؟]\s*(?:$|\n)|\?\s+[A-ZÄÖÜ]|？|请问|请您|お願い|ください|教えて|부탁|까요"
    r"|\b(?:can|could|would|will)\s+you\b|\bplease\s+(?!find\b|note\b|see\s+attached|be\s+advised|do\s+not\s+reply)\w+"
    r"|\b(?:let\s+(?:me|us)\s+know|get\s+back\s+to|need\s+you\s+to|waiting\s+for\s+your|asap|kindly\s+\w+)\b"
    r"|\bi(?:'d|\s+would)\s+(?:like|need)\b|\bwe\s+(?:need|request|require)\b"
    r"|\b(?:bitte|könn(?:en|ten|test)\s+(?:sie|du|ihr)|kannst\s+du|würde[nt]?\s+(?:sie|du)|gib\s+(?:mir|uns)"
    r"|geben\s+sie|benötigen\s+wir)\b"
    r"|\b(?:pourriez|pouvez|peux|pourrais)[- ](?:vous|tu)\b|\bmerci\s+de\s+\w+er\b|\bveuillez\b"
    r"|\bs'il\s+(?:vous|te)\s+pla[iî]t\b"
    r"|\b(?:podr[íi]as?|puedes?|pueden|podr[íi]an)\s+\w+|\bpor\s+favor\b|\b(?:potrebbe|potresti|pu[oò]"
    r"|puoi)\s+\w+|\bper\s+favore\b"
    r"|\b(?:kunt|kun)\s+(?:u|je|jij)\b|\balstublieft\b|\b(?:proszę|czy\s+(?:może|mógł))\b|\b(?:poderia"
    r"|pode)\s+\w+\b|\bпожалуйста\b|\bпрошу\b",
    re.IGNORECASE,
)  # fmt: skip
_URGENT = re.compile(
    r"\b(?:urgent(?:ly)?|asap|as\s+soon\s+as\s+possible|immediately|right\s+away|emergency|dringend|eilig?t"
    r"|sofort|umgehend"
    r"|urgente|urgence|dès\s+que\s+possible|cuanto\s+antes|il\s+prima\s+possibile|spoed|zo\s+snel\s+mogelijk"
    r"|pilne|срочно)\b",
    re.IGNORECASE,
)
_MEET = re.compile(
    r"\b(?:meet(?:ing)?|call|catch\s+up|appointment|schedule|lunch|coffee|video\s*call|zoom|treffen|termin"
    r"|besprech\w+|telefonat"
    r"|r[ée]union|rendez-vous|rdv|reuni[óo]n|cita|llamada|riunione|incontro|appuntamento|afspraak|vergadering"
    r"|spotkanie|встреч\w+)\b",
    re.IGNORECASE,
)
_LANGUAGES = {
    "en": "the and you for with that this have are was not but from your"
    " will would can please thanks we our is of to in it on be",
    "de": "der die das und ist nicht sie ich wir mit für von dem"
    " den ein eine zu auf bitte haben wird sind auch es im ihre noch",
    "fr": "le la les de des du et est vous nous pour dans que"
    " une un pas avec sur votre merci bonjour je ce qui au aux notre",
    "es": "el la los las de que y en un una por para con su es no se lo le del al gracias hola usted nos más este como",
    "it": "il la di che e per un una con non sono del della"
    " le gli grazie buongiorno è si da in al lo nel questo anche come",
    "nl": "de het een en van ik je is dat niet te op met"
    " voor zijn aan u wij deze bij ook naar graag bedankt wordt er om",
    "pt": "o a os as de que e do da em um uma para com"
    " não por se mais obrigado você no na ao dos como está bom nos pelo",
    "pl": "i w na z że się nie do jest to za o od dla jak po czy proszę dziękuję być pan pani są przez oraz ale tak co",
    "sv": "och att det som en på är av för med till den har inte om ett jag vi du hej tack kan men från ni var så vid",
}
_MARKS = {lang: frozenset(words.split()) for lang, words in _LANGUAGES.items()}
_SCRIPTS = (
    ("ru", "Ѐ", "ӿ"),
    ("el", "Ͱ", "Ͽ"),
    ("ja", "぀", "ヿ"),
    ("ko", "가", "힣"),
    ("zh", "一", "鿿"),
    ("ar", "؀", "ۿ"),
    ("he", "֐", "׿"),
)


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message wants. `by` is its deadline as an instant with a zone, `meeting`: it speaks of a time to meet."""

    asks: bool = False
    by: dt.datetime | None = None
    priority: Priority = "normal"
    language: str = ""
    meeting: bool = False


def wish_of(message: Message, text: str, now: dt.datetime, zone: str = "UTC") -> Wish:
    """Of a message's new text. `zone` is the reader's (IANA); what is said without one is meant there."""
    bulk = automatic(message)
    asks = bool(_ASKS.search(text)) and not bulk
    by = _deadline(text, message.date or now, zone)
    urgent = bool(_URGENT.search(f"{message.subject}\n{text}")) or _marked_urgent(message)
    priority: Priority = "low" if bulk else "high" if urgent or _soon(by, now) else "normal"
    language = language_of(f"{message.subject}\n{text}")
    meeting = any(method == "REQUEST" for method, _ in message.calendars) or _wants_to_meet(text, now, zone)
    return Wish(asks=asks, by=by, priority=priority, language=language, meeting=meeting)


def language_of(text: str) -> str:
    """The language of a text (ISO 639-1) by its script and its commonest words; empty where that does not show."""
    letters = [char for char in text[:5000] if char.isalpha()]
    for language, first, last in _SCRIPTS:
        if letters and sum(first <= char <= last for char in letters) > len(letters) / 4:
            return language
    words = re.findall(r"[^\W\d_]+", text[:5000].lower())
    hits = {language: sum(word in marks for word in words) for language, marks in _MARKS.items()}
    best = max(hits, key=lambda language: hits[language])
    second = max(count for language, count in hits.items() if language != best)
    return best if hits[best] >= 2 and hits[best] > second else ""


def _marked_urgent(message: Message) -> bool:
    return message.header("X-Priority").strip()[:1] in ("1", "2") or message.header("Importance").lower() == "high"


def _soon(by: dt.datetime | None, now: dt.datetime) -> bool:
    return by is not None and by - now < dt.timedelta(days=2)


def _deadline(text: str, now: dt.datetime, zone: str) -> dt.datetime | None:
    from skerry_workflows.scheduling.phrases import deadline

    found = deadline(text, now, zone)
    return found.due if found is not None and found.sure else None


def _wants_to_meet(text: str, now: dt.datetime, zone: str) -> bool:
    if not _MEET.search(text):
        return False
    from skerry_workflows.scheduling.phrases import wish

    return wish(text, now, zone) is not None
