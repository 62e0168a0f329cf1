"""Dutch."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language, day_parts

_TO_19 = [
    "een",
    "twee",
    "drie",
    "vier",
    "vijf",
    "zes",
    "zeven",
    "acht",
    "negen",
    "tien",
    "elf",
    "twaalf",
    "dertien",
    "veertien",
    "vijftien",
    "zestien",
    "zeventien",
    "achttien",
    "negentien",
]
_TENS = {20: "twintig", 30: "dertig", 40: "veertig", 50: "vijftig", 60: "zestig", 70: "zeventig", 80: "tachtig",
         90: "negentig"}  # fmt: skip


def _numbers() -> dict[str, int]:
    numbers = {word: n for n, word in enumerate(_TO_19, start=1) if n > 1}
    for ten, word in _TENS.items():
        numbers |= {word: ten, **{f"{one}en{word}": ten + n for n, one in enumerate(_TO_19[:9], start=1)}}
    return {**numbers, "één": 1, "honderd": 100, "een dozijn": 12}


def _ordinals() -> dict[str, int]:
    words = {word + ("ste" if n in (8,) or n >= 20 else "de"): n for n, word in enumerate(_TO_19, start=1)}
    words |= {f"{one}entwintigste": 20 + n for n, one in enumerate(_TO_19[:9], start=1)}
    return {**words, "eerste": 1, "derde": 3, "twintigste": 20, "dertigste": 30, "eenendertigste": 31}


_DAYS = ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"]
_PARTS = {"morning": "ochtend morgen", "afternoon": "middag", "evening": "avond", "night": "nacht"}


LANGUAGE = Language(
    code="nl",
    order="dmy",
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "ma, di, wo, do, vr, za, zo, mei, nu, mar, maart, zomer, winter, herfst, lente, morgen, avond, pasen, "
        "kerst, dag, dagelijks, wekelijks, maandelijks, mrt, okt, dec"
    ),
    marks=(
        "de, het, een, en, is, ik, we, wij, van, voor, niet, met, op, te, dat, die, naar, kan, ons, bij, om, heb, "
        "graag"
    ),
    words={
        "DAYPART": day_parts(_DAYS, _PARTS),
        "WEEKDAY": {0: "maandag, ma", 1: "dinsdag, di", 2: "woensdag, wo", 3: "donderdag, do", 4: "vrijdag, vr",
            5: "zaterdag, za", 6: "zondag, zo",
        },
        "MONTH": {1: "januari, jan", 2: "februari, feb", 3: "maart, mrt", 4: "april, apr", 5: "mei", 6: "juni, jun",
            7: "juli, jul", 8: "augustus, aug", 9: "september, sep, sept", 10: "oktober, okt", 11: "november, nov",
            12: "december, dec",
        },
        "UNIT": {"second": "seconde, seconden, sec", "minute": "minuut, minuten, min", "hour": "uur, uren, u",
            "day": "dag, dagen", "workday": "werkdag, werkdagen", "week": "week, weken", "month": "maand, maanden",
            "quarter": "kwartaal, kwartalen", "year": "jaar, jaren", "decade": "decennium, decennia",
            "century": "eeuw, eeuwen", "night": "nacht, nachten",
        },
        "UNITS": {"day": "dagen", "week": "weken", "month": "maanden"},
        "DAYREF": {0: "vandaag", 1: "morgen", -1: "gisteren", 2: "overmorgen", -2: "eergisteren"},
        "PARTREF": {"0 evening": "vanavond", "0 night": "vannacht", "0 morning": "vanochtend, vanmorgen",
            "0 afternoon": "vanmiddag", "1 morning": "morgenochtend, morgenvroeg", "1 afternoon": "morgenmiddag",
            "1 evening": "morgenavond", "-1 evening": "gisteravond", "-1 night": "gisternacht",
        },
        "PART": {"dawn": "zonsopgang", "morning": "ochtend, morgen, 's ochtends, 's morgens, voormiddag, ochtends",
            "lunch": "lunch, lunchtijd", "afternoon": "middag, namiddag, 's middags, middags",
            "evening": "avond, 's avonds, avonds", "night": "nacht, 's nachts, nachts",
            "dinner": "diner, avondeten",
        },
        "NOW": {0: "nu, meteen, direct, onmiddellijk, op dit moment, zo snel mogelijk"},
        "REL": {0: "deze, dit, huidige",
            1: "volgende, volgend, komende, komend, aanstaande, aankomende, eerstvolgende",
            -1: "vorige, vorig, afgelopen, laatste, verleden", 2: "overvolgende",
        },
        "RELPOST": {1: "aanstaande, a.s., erop"},
        "SAME": {0: "zelfde, dezelfde, hetzelfde"},
        "LAST": {0: "laatste"},
        "A": {1: "een, 'n"},
        "HALF": {0: "half, halve, helft"},
        "FEW": {0: "paar, enkele, enige, een paar, een aantal"},
        "LENGTHWORD": {900: "kwartier, een kwartier", 5400: "anderhalf uur"},
        "QUARTERMARK": {15: "kwart"},
        "OF": {0: "van, in, van de, in de, van het"},
        "IN": {0: "in, op, in de, om"},
        "ON": {0: "op, voor, van"},
        "AT": {0: "om, rond, tegen"},
        "DURING": {0: "tijdens, gedurende"},
        "THE": {0: "de, het, den, 't"},
        "THEDAY": {0: "de, op de"},
        "FROM": {0: "van, vanaf, vanaf de"},
        "TO": {0: "tot, tot en met, t/m, tot aan"},
        "UNTIL": {0: "tot, tot en met, t/m, tot aan"},
        "BETWEEN": {0: "tussen, tussen de"},
        "AND": {0: "en, &"},
        "OR": {0: "of"},
        "BEFORE": {0: "voor, vóór, eerder dan, voor de"},
        "AFTER": {0: "na, later dan, na de"},
        "BY": {0: "uiterlijk, voor, tegen, uiterlijk op"},
        "SINCE": {0: "vanaf"},
        "EVERSINCE": {0: "sinds, sedert"},
        "STARTING": {0: "vanaf, te beginnen"},
        "FOR": {0: "voor, gedurende"},
        "ORLATER": {0: "of later, of daarna"},
        "OREARLIER": {0: "of eerder, of ervoor, uiterlijk"},
        "WITHIN": {0: "binnen, binnen de"},
        "INDUR": {0: "over, in, binnen"},
        "AGO": {0: "geleden, eerder"},
        "HENCE": {0: "later, vanaf nu, vanaf vandaag"},
        "ABOUT": {0: "ongeveer, circa, ca., rond, zo'n, bijna"},
        "MORE": {0: "meer dan, minstens"},
        "LESS": {0: "minder dan"},
        "EDGEPRE": {"start": "begin, het begin", "middle": "midden, half, medio, het midden",
            "end": "einde, eind, het einde, het eind",
        },
        "EDGE": {"start": "begin, het begin", "middle": "midden, half, medio, het midden",
            "end": "einde, eind, het einde, het eind",
        },
        "EDGEUNIT": {"end day": "einde van de dag, eind van de dag, einde dag", "end month": "einde maand",
            "end year": "jaareinde",
        },
        "EARLY": {"early": "vroeg, vroege"},
        "LATE": {"late": "laat, late, later"},
        "AM": {"am": "am, 's ochtends, 's morgens"},
        "PM": {"pm": "pm, 's middags, 's avonds"},
        "OCLOCK": {0: "uur, u"},
        "HMARK": {0: "u, h"},
        "MINUTEWORD": {0: "minuten, minuut"},
        "NOON": {0: "twaalf uur 's middags"},
        "MIDNIGHT": {0: "middernacht"},
        "HALFTO": {0: "half"},
        "PAST": {0: "over, na"},
        "TILL": {0: "voor"},
        "ORDMARK": {0: "e, ste, de"},
        "QMARK": {0: "q, k"},
        "QUARTERWORD": {0: "kwartaal"},
        "YEARWORD": {0: "jaar"},
        "WEEKWORD": {0: "week, wk"},
        "DECADEPRE": {0: "jaren"},
        "SEASON": {"spring": "lente, voorjaar", "summer": "zomer", "autumn": "herfst, najaar", "winter": "winter"},
        "WEEKEND": {0: "weekend, weekeinde"},
        "EVERY": {0: "elke, elk, iedere, ieder, alle"},
        "FREQ": {"DAILY": "dagelijks", "WEEKLY": "wekelijks", "MONTHLY": "maandelijks", "YEARLY": "jaarlijks"},
        "NOT": {0: "niet, behalve, uitgezonderd, maar niet"},
        "ZONE": {"UTC": "utc, gmt, z"},
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "nieuwjaarsdag, nieuwjaar", "new year eve": "oudejaarsavond, oudjaar",
            "good friday": "goede vrijdag", "easter": "pasen, eerste paasdag",
            "easter monday": "paasmaandag, tweede paasdag", "king nl": "koningsdag",
            "ascension": "hemelvaart, hemelvaartsdag", "pentecost": "pinksteren",
            "whit monday": "pinkstermaandag, tweede pinksterdag", "christmas eve": "kerstavond",
            "christmas": "kerst, kerstmis, eerste kerstdag", "boxing": "tweede kerstdag", "nicholas": "sinterklaas",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "afspraak, vergadering, overleg, overleggen, bellen, gesprek, spreken, ontmoeten, afspreken, meeting, "
            "call, bijeenkomst, koffie, beschikbaar, plannen, inplannen, videogesprek, "
            "vrij op, tijd voor, lunch",
        },
        "MOVE": {0: "verzetten, verplaatsen, uitstellen"},
        "WITH": {0: "met, samen met"},
        "FLEX": {0: "flexibel, wanneer dan ook, wanneer het uitkomt"},
        "DUE": {0: "deadline, uiterste datum, uiterlijk op, vervaldatum"},
        "ROOM": {0: "kamer, vergaderzaal, kantoor, zaal, restaurant"},
        "REQUEST": {
            0: "kunnen we, zullen we, kan je, kunt u, graag, zou je, zou u, heb je, heeft u, ben je, bent u, "
            "wanneer, laten we",
        },
    },
)  # fmt: skip
