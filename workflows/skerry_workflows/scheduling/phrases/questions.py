"""What is asked back, in the language of the message where there are words for it, else in English."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from skerry_workflows.scheduling.phrases.language import lexicon
from skerry_workflows.scheduling.phrases.model import Reading, Span

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "which": 'By "{words}", do you mean {choices}?', "meant": 'Is "{words}" meant as {choices}?', "or": " or ",
        "when": "When would suit you?", "past": '"{words}" is over already: which day do you mean?',
        "long": "How long should it take?", "series": 'Should "{words}" be a series, and until when?',
        "cut": "The message is long, and only its beginning was read: is there another time in the rest?",
    },
    "de": {
        "which": "Meinen Sie mit „{words}“ {choices}?", "meant": "Ist „{words}“ als {choices} gemeint?", "or": " oder ",
        "when": "Wann würde es Ihnen passen?", "past": "„{words}“ ist schon vorbei: welchen Tag meinen Sie?",
        "long": "Wie lange soll es dauern?", "series": "Soll „{words}“ ein Serientermin sein, und bis wann?",
        "cut": "Die Nachricht ist lang, und nur ihr Anfang wurde gelesen: steht im Rest noch ein Termin?",
    },
    "fr": {
        "which": "Par « {words} », voulez-vous dire {choices} ?", "meant": "« {words} » veut-il dire {choices} ?",
        "or": " ou ", "when": "Quand cela vous conviendrait-il ?",
        "past": "« {words} » est déjà passé : de quel jour s'agit-il ?", "long": "Combien de temps faut-il prévoir ?",
        "series": "« {words} » doit-il se répéter, et jusqu'à quand ?",
        "cut": "Le message est long et seul son début a été lu : la suite contient-elle une autre date ?",
    },
    "es": {
        "which": "Con «{words}», ¿se refiere a {choices}?", "meant": "¿«{words}» significa {choices}?", "or": " o ",
        "when": "¿Cuándo le vendría bien?", "past": "«{words}» ya ha pasado: ¿a qué día se refiere?",
        "long": "¿Cuánto debería durar?", "series": "¿«{words}» debe repetirse, y hasta cuándo?",
        "cut": "El mensaje es largo y solo se ha leído el principio: ¿hay otra fecha en el resto?",
    },
    "it": {
        "which": "Con «{words}» intende {choices}?", "meant": "«{words}» significa {choices}?", "or": " o ",
        "when": "Quando Le andrebbe bene?", "past": "«{words}» è già passato: quale giorno intende?",
        "long": "Quanto dovrebbe durare?", "series": "«{words}» deve ripetersi, e fino a quando?",
        "cut": "Il messaggio è lungo e ne è stato letto solo l'inizio: c'è un'altra data nel resto?",
    },
}  # fmt: skip


def ask(kind: str, language: str, reading: Reading | None = None) -> str:
    """A question of a kind (`which`, `when`, `past`, `long`, `series`, `cut`), about a reading or the whole."""
    texts = _TEXTS.get(language, _TEXTS["en"])
    language = language if language in _TEXTS else "en"
    if reading is None:
        return texts[kind]
    words = " ".join(reading.words.split())
    if kind != "which":
        return texts[kind].format(words=words)
    spans = [span for span in (reading.span, *(each.span for each in reading.alternatives)) if span is not None]
    choices = list(dict.fromkeys(tell(span, language) for span in spans))[:3]
    return texts["which" if len(choices) > 1 else "meant"].format(words=words, choices=texts["or"].join(choices))


def tell(span: Span, language: str) -> str:
    """A span in few words and figures that cannot be mistaken: `Friday 2026-12-04 17:00`."""
    fine = span.grain in ("second", "minute", "hour")
    parts = [_moment(span.start, language, fine) if span.start else "…"]
    if span.end and span.start and not fine and span.grain != "day":
        parts.append(_moment(span.end - dt.timedelta(days=1), language, fine))
    elif span.end and not span.start:
        parts.append(_moment(span.end, language, fine))
    return "–".join(dict.fromkeys(parts))


def _moment(moment: dt.datetime, language: str, fine: bool) -> str:
    names = lexicon(language).language.words["WEEKDAY"][moment.weekday()]
    weekday = names.split(",")[0].strip()
    weekday = weekday if language in ("fr", "es", "it") else weekday.capitalize()
    return f"{weekday} {moment:%Y-%m-%d %H:%M}" if fine else f"{weekday} {moment:%Y-%m-%d}"
