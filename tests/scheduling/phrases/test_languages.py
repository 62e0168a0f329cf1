"""The same times in other languages; the language is found from the words."""

from __future__ import annotations

import pytest

from skerry_workflows.scheduling.phrases.language import CODES, lexicon
from tests.scheduling.phrases.reading import told

SAID: dict[str, dict[str, str | None]] = {
    "de": {
        "übermorgen um 15 Uhr": "2026-11-27 15:00 2026-11-27 16:00",
        "am Montag um 9:30 Uhr": "2026-11-30 09:30 2026-11-30 09:31",
        "nächste Woche": "2026-11-30 2026-12-07",
        "am 3. Dezember": "2026-12-03 2026-12-04",
        "am 03.12.2026": "2026-12-03 2026-12-04",
        "morgen um halb vier": "2026-11-26 15:30 2026-11-26 15:31",
        "Freitagnachmittag": "2026-11-27 12:00 2026-11-27 18:00",
        "am Freitag Nachmittag": "2026-11-27 12:00 2026-11-27 18:00",
        "von 14 bis 15:30 Uhr": "2026-11-25 14:00 2026-11-25 15:30",
        "in zwei Wochen": "2026-12-09 2026-12-10",
        "vor drei Tagen": "2026-11-22 2026-11-23",
        "Ende Dezember": "2026-12-21 2027-01-01",
        "bis Freitag": "... 2026-11-28",
        "eineinhalb Stunden": "90 min",
        "jeden Montag": "recurring",
    },
    "fr": {
        "demain à 14h30": "2026-11-26 14:30 2026-11-26 14:31",
        "lundi prochain": "2026-11-30 2026-12-01",
        "la semaine prochaine": "2026-11-30 2026-12-07",
        "le 3 décembre": "2026-12-03 2026-12-04",
        "vendredi après-midi": "2026-11-27 12:00 2026-11-27 18:00",
        "dans deux semaines": "2026-12-09 2026-12-10",
        "il y a trois jours": "2026-11-22 2026-11-23",
        "une heure et demie": "90 min",
        "avant vendredi": "... 2026-11-27",
    },
    "es": {
        "mañana a las 15:00": "2026-11-26 15:00 2026-11-26 15:01",
        "el próximo lunes": "2026-11-30 2026-12-01",
        "la semana que viene": "2026-11-30 2026-12-07",
        "el 3 de diciembre de 2027": "2027-12-03 2027-12-04",
        "el viernes por la tarde": "2026-11-27 12:00 2026-11-27 18:00",
        "hace tres días": "2026-11-22 2026-11-23",
        "dentro de dos semanas": "2026-12-09 2026-12-10",
        "media hora": "30 min",
    },
    "it": {
        "domani alle 15:00": "2026-11-26 15:00 2026-11-26 15:01",
        "lunedì prossimo": "2026-11-30 2026-12-01",
        "la prossima settimana": "2026-11-30 2026-12-07",
        "il 3 dicembre": "2026-12-03 2026-12-04",
        "venerdì pomeriggio": "2026-11-27 12:00 2026-11-27 18:00",
        "tra due settimane": "2026-12-09 2026-12-10",
        "tre giorni fa": "2026-11-22 2026-11-23",
        "dalle 14:00 alle 15:30": "2026-11-25 14:00 2026-11-25 15:30",
    },
    "pt": {
        "amanhã às 15h": "2026-11-26 15:00 2026-11-26 16:00",
        "na próxima semana": "2026-11-30 2026-12-07",
        "3 de dezembro": "2026-12-03 2026-12-04",
    },
    "nl": {
        "morgen om 15:00": "2026-11-26 15:00 2026-11-26 15:01",
        "volgende week": "2026-11-30 2026-12-07",
        "3 december": "2026-12-03 2026-12-04",
        "over twee weken": "2026-12-09 2026-12-10",
    },
    "zh": {"明天下午3点": "2026-11-26 15:00 2026-11-26 16:00", "2026年12月3日": "2026-12-03 2026-12-04"},
    "ja": {"明日午後3時": "2026-11-26 15:00 2026-11-26 16:00", "2026年12月3日": "2026-12-03 2026-12-04"},
}


@pytest.mark.parametrize("code", SAID)
def test_words_mean(code: str) -> None:
    wanted = {text: [meant] if meant else [] for text, meant in SAID[code].items()}
    assert {text: told(text, code) for text in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Können wir uns nächsten Dienstag treffen? Ich bin am Nachmittag frei.", "de"),
        ("Est-ce que vous êtes disponible mardi prochain dans l'après-midi ?", "fr"),
        ("¿Tienes tiempo el martes por la tarde para una reunión con el equipo?", "es"),
        ("Hai tempo martedì pomeriggio per una riunione con il cliente?", "it"),
        ("Are you free on Tuesday afternoon for a meeting with the client?", "en"),
        ("Heb je dinsdagmiddag tijd voor een overleg met de klant?", "nl"),
        ("Você tem tempo na terça à tarde para uma reunião com o cliente?", "pt"),
    ],
)
def test_the_language_is_found(text: str, code: str) -> None:
    from skerry_workflows.scheduling.phrases.language import detect
    from skerry_workflows.scheduling.phrases.lexer import tokenize

    assert detect(tokenize(text)) == code


@pytest.mark.parametrize("code", CODES)
def test_a_table_has_all_weekdays_and_months(code: str) -> None:
    words = lexicon(code).language.words
    assert set(words["WEEKDAY"]) == set(range(7))
    assert set(words.get("MONTH", {})) in (set(range(1, 13)), set[int]())
    assert set(words["DAYREF"]) >= {-1, 0, 1}
