"""German."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language, day_parts

_TEENS = ["zehn", "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"]
_ONES = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]


def _numbers() -> dict[str, int]:
    numbers = {"eins": 1, "zwo": 2, **{word: n for n, word in enumerate(_ONES, start=1) if n > 1}}
    numbers |= {word: n for n, word in enumerate(_TEENS, start=10)}
    for n, ten in enumerate(_TENS, start=2):
        numbers[ten] = 10 * n
        numbers |= {f"{word}und{ten}": 10 * n + one for one, word in enumerate(_ONES, start=1)}
    return {**numbers, "hundert": 100, "ein dutzend": 12}


def _ordinals() -> dict[str, int]:
    stems = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
    words = dict(enumerate([*_ONES, *_TEENS], start=1))
    stems = {n: stems.get(n, word + "t") for n, word in words.items()}
    stems |= {20: "zwanzigst", 30: "dreißigst", 31: "einunddreißigst"}
    stems |= {20 + n: f"{word}undzwanzigst" for n, word in enumerate(_ONES, start=1)}
    return {stem + end: n for n, stem in stems.items() for end in ("e", "en", "er", "es", "em")}


_DAYS = ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"]
_PARTS = {
    "morning": "morgen vormittag",
    "lunch": "mittag",
    "afternoon": "nachmittag",
    "evening": "abend",
    "night": "nacht",
}


LANGUAGE = Language(
    code="de",
    order="dmy",
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "mo, di, mi, do, fr, sa, so, mai, mär, morgen, jetzt, gleich, sofort, sommer, winter, herbst, frühling, "
        "ostern, täglich, wochenende, letzte, tag, jul, okt, nächste, 1"
    ),
    marks=(
        "der, die, das, und, ist, ich, wir, sie, nicht, mit, für, zu, auf, ein, eine, den, dem, im, uns, haben, "
        "geht, bitte"
    ),
    words={
        "DAYPART": day_parts(_DAYS, _PARTS),
        "WEEKDAY": {0: "montag, mo", 1: "dienstag, di", 2: "mittwoch, mi", 3: "donnerstag, do",
            4: "freitag, fr", 5: "samstag, sa, sonnabend", 6: "sonntag, so",
        },
        "WEEKDAYS": {"MO": "montags", "TU": "dienstags", "WE": "mittwochs", "TH": "donnerstags", "FR": "freitags",
            "SA": "samstags", "SU": "sonntags", "MO,TU,WE,TH,FR": "werktags, wochentags",
        },
        "MONTH": {1: "januar, jan, jänner", 2: "februar, feb, feber", 3: "märz, mär, mrz, maerz", 4: "april, apr",
            5: "mai", 6: "juni, jun, juno", 7: "juli, jul", 8: "august, aug", 9: "september, sep, sept",
            10: "oktober, okt", 11: "november, nov", 12: "dezember, dez",
        },
        "UNIT": {"second": "sekunde, sekunden, sek", "minute": "minute, minuten, min",
            "hour": "stunde, stunden, std, h", "day": "tag, tage, tagen, tages, tags",
            "workday": "werktag, werktage, werktagen, arbeitstag, arbeitstage, arbeitstagen",
            "week": "woche, wochen", "month": "monat, monate, monaten, monats",
            "quarter": "quartal, quartale, quartals, quartalen", "year": "jahr, jahre, jahren, jahres",
            "decade": "jahrzehnt, jahrzehnte, jahrzehnten", "century": "jahrhundert, jahrhunderte, jahrhunderts",
            "night": "nacht, nächte, nächten",
        },
        "UNITS": {"day": "tage, tagen", "week": "wochen", "month": "monate, monaten"},
        "DAYREF": {0: "heute", 1: "morgen", -1: "gestern", 2: "übermorgen", -2: "vorgestern", 3: "überübermorgen"},
        "PARTREF": {"0 morning": "heute früh, heute morgen, heute vormittag", "0 evening": "heute abend",
            "0 night": "heute nacht", "-1 night": "gestern nacht, letzte nacht",
            "1 morning": "morgen früh, morgen vormittag", "0 afternoon": "heute nachmittag",
            "0 lunch": "heute mittag",
        },
        "PART": {"dawn": "morgengrauen",
            "morning": "morgen, morgens, früh, vormittag, vormittags, am morgen, vormittage",
            "lunch": "mittag, mittags, mittagszeit, mittagspause",
            "afternoon": "nachmittag, nachmittags, nachmittage", "evening": "abend, abends, abende",
            "night": "nacht, nachts", "work": "arbeitszeit, bürozeit, geschäftszeiten",
        },
        "PARTADV": {"morning": "morgens, vormittags, frühmorgens", "lunch": "mittags", "afternoon": "nachmittags",
            "evening": "abends", "night": "nachts",
        },
        "NOW": {0: "jetzt, gerade, sofort, gleich, momentan, umgehend, augenblicklich"},
        "REL": {0: "diese, dieser, diesen, diesem, dieses, laufende, laufenden, aktuelle, aktuellen",
            1: "nächste, nächsten, nächster, nächstes, nächstem, kommende, kommenden, kommender, kommendes, "
            "kommendem, folgende, folgenden, darauffolgende, darauffolgenden",
            -1: "letzte, letzten, letzter, letztes, letztem, vergangene, vergangenen, vergangener, vergangenes, "
            "vorige, voriger, vorigen, voriges, vorherige, vorherigen",
            2: "übernächste, übernächsten, übernächster, übernächstes",
            -2: "vorletzte, vorletzten, vorletzter, vorletztes",
        },
        "SAME": {0: "gleiche, gleichen, selbe, selben, derselben, dieselbe, demselben"},
        "LAST": {0: "letzte, letzten, letzter, letztes"},
        "A": {1: "ein, eine, einer, einen, einem, eines, 'ne, ner"},
        "HALF": {0: "halbe, halben, halber, halbes, halb, hälfte"},
        "FEW": {0: "ein paar, paar, einige, einigen, wenige, wenigen, mehrere, mehreren"},
        "QUARTERMARK": {15: "viertel"},
        "QUARTEROF": {0.25: "viertel", 0.75: "dreiviertel"},
        "LENGTHWORD": {900: "viertelstunde", 1800: "halbstunde", 2700: "dreiviertelstunde",
            5400: "anderthalb stunden, eineinhalb stunden, anderthalbstunden",
        },
        "OF": {0: "von, vom, der, des, im, in, in der, in den, des monats"},
        "IN": {0: "in, im, am, an, zu, zur"},
        "ON": {0: "am, an, den, für, der"},
        "AT": {0: "um, gegen, punkt, so um"},
        "DURING": {0: "während, über, innerhalb, im laufe"},
        "THE": {0: "der, die, das, den, dem, des"},
        "THEDAY": {0: "am, den, der, dem, zum, vom, bis zum, ab dem"},
        "FROM": {0: "von, vom, ab, zwischen dem"},
        "TO": {0: "bis, bis zum, bis zur, bis um"},
        "UNTIL": {0: "bis, bis zum, bis zur, bis um"},
        "BETWEEN": {0: "zwischen"},
        "AND": {0: "und, &, sowie"},
        "OR": {0: "oder"},
        "BEFORE": {0: "vor, vor dem, vor der, früher als, eher als"},
        "AFTER": {0: "nach, nach dem, nach der, später als"},
        "BY": {0: "bis, spätestens, bis spätestens, bis zum, bis zur, spätestens bis, bis spätestens zum"},
        "SINCE": {0: "ab, ab dem, frühestens, frühestens ab"},
        "EVERSINCE": {0: "seit, seit dem, seit der"},
        "STARTING": {0: "ab, beginnend"},
        "FOR": {0: "für"},
        "ORLATER": {0: "oder später, oder danach"},
        "OREARLIER": {0: "oder früher, oder davor"},
        "WITHIN": {0: "innerhalb, innerhalb von, binnen, innerhalb der"},
        "INDUR": {0: "in"},
        "AGOPRE": {0: "vor"},
        "AGO": {0: "zuvor"},
        "HENCE": {0: "später, ab jetzt, von jetzt an, ab heute, danach"},
        "ABOUT": {0: "etwa, ungefähr, circa, ca, ca., rund, zirka, gegen, knapp, maximal, höchstens, mindestens"},
        "MORE": {0: "mehr als, über, mindestens, länger als"},
        "LESS": {0: "weniger als, unter, höchstens"},
        "EDGEPRE": {"start": "anfang, beginn", "middle": "mitte", "end": "ende"},
        "EDGE": {"start": "anfang, beginn", "middle": "mitte", "end": "ende"},
        "EDGEUNIT": {"end month": "monatsende, ende des monats", "end year": "jahresende, ende des jahres",
            "end week": "wochenende der woche",
            "end day": "feierabend, ende des tages, geschäftsschluss, dienstschluss", "start month": "monatsanfang",
            "start year": "jahresanfang", "start week": "wochenanfang, wochenbeginn", "end quarter": "quartalsende",
        },
        "EARLY": {"early": "früh, frühen", "earlier": "früher, früher am"},
        "LATE": {"late": "spät, späten", "later": "später, späteren"},
        "AM": {"am": "am vormittag"},
        "OCLOCK": {0: "uhr"},
        "HMARK": {0: "h"},
        "MINUTEWORD": {0: "minuten, minute, min"},
        "NOON": {0: "zwölf uhr mittags, 12 uhr mittags"},
        "MIDNIGHT": {0: "mitternacht"},
        "HALFTO": {0: "halb"},
        "PAST": {0: "nach"},
        "TILL": {0: "vor"},
        "QMARK": {0: "q"},
        "QUARTERWORD": {0: "quartal"},
        "DECADEMARK": {0: "er, er jahre, er-jahre"},
        "YEARWORD": {0: "jahr, jahre, jahres"},
        "WEEKWORD": {0: "kw, kalenderwoche, woche"},
        "SEASON": {"spring": "frühling, frühjahr", "summer": "sommer", "autumn": "herbst", "winter": "winter"},
        "WEEKEND": {0: "wochenende, wochenenden"},
        "EVERY": {0: "jede, jeden, jeder, jedes, jedem, alle, aller"},
        "FREQ": {"": "stündlich", "DAILY": "täglich, allabendlich", "WEEKLY": "wöchentlich",
            "WEEKLY;INTERVAL=2": "zweiwöchentlich, vierzehntägig, 14-tägig", "MONTHLY": "monatlich",
            "MONTHLY;INTERVAL=3": "vierteljährlich, quartalsweise", "YEARLY": "jährlich",
        },
        "TIMES": {0: "mal, male, termine, sitzungen"},
        "NOT": {0: "nicht, außer, ausgenommen, ohne, nur nicht, keinesfalls, nicht am"},
        "ZONE": {"UTC": "utc, gmt, z", "Europe/Berlin": "mez, mesz, cet, cest"},
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "neujahr, neujahrstag", "new year eve": "silvester, sylvester",
            "epiphany": "heilige drei könige, dreikönigstag", "valentine": "valentinstag",
            "good friday": "karfreitag", "easter": "ostern, ostersonntag", "easter monday": "ostermontag",
            "labour": "tag der arbeit, maifeiertag", "ascension": "christi himmelfahrt, himmelfahrt, vatertag",
            "pentecost": "pfingsten, pfingstsonntag", "whit monday": "pfingstmontag",
            "corpus christi": "fronleichnam", "assumption": "mariä himmelfahrt",
            "unity de": "tag der deutschen einheit", "reformation": "reformationstag", "halloween": "halloween",
            "all saints": "allerheiligen", "all souls": "allerseelen", "nicholas": "nikolaus, nikolaustag",
            "christmas eve": "heiligabend, heilig abend, weihnachtsabend",
            "christmas": "weihnachten, erster weihnachtstag, erster weihnachtsfeiertag",
            "boxing": "zweiter weihnachtstag, zweiter weihnachtsfeiertag", "mother": "muttertag",
            "carnival monday": "rosenmontag", "ash wednesday": "aschermittwoch",
            "maundy thursday": "gründonnerstag", "palm sunday": "palmsonntag",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "treffen, meeting, termin, termine, besprechung, besprechen, telefonat, telefonieren, anruf, "
            "gespräch, sprechen, sitzung, verabreden, zusammensetzen, austausch, austauschen, call, zeit für, "
            "videokonferenz, konferenz, kaffee, vorstellungsgespräch, workshop, verschieben, vereinbaren, "
            "zusammenkommen, jour fixe, zeit haben, "
            "hast du zeit, haben sie zeit, frei am, mittagessen, uns sehen",
        },
        "PROPOSE": {0: "wie wäre, wie wäre es, passt dir, passt es dir, passt ihnen, passt es ihnen, wie sieht es bei"},
        "MOVE": {0: "verschieben, verlegen, umbuchen, vorziehen, statt"},
        "WITH": {0: "mit, zusammen mit, und mit, inklusive"},
        "FLEX": {
            0: "flexibel, jederzeit, irgendwann, egal wann, wann es ihnen passt, wann es dir passt, nach belieben",
        },
        "DUE": {
            0: "fällig, fällig am, frist, abgabe, abgabetermin, spätestens am, deadline, einsendeschluss, stichtag",
        },
        "ROOM": {
            0: "raum, besprechungsraum, konferenzraum, büro, kantine, café, restaurant, saal, zentrale, gebäude, haus",
        },
        "REQUEST": {
            0: "können wir, könnten wir, wollen wir, sollen wir, lass uns, lassen sie uns, hätten sie, hast du, "
            "haben sie, bitte, würde gerne, würde gern, möchte, wie wäre, passt, wann, vorschlagen, schlage vor, "
            "geht es",
        },
    },
)  # fmt: skip
