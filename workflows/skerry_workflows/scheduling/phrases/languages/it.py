"""Italian."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language

_TO_19 = [
    "uno",
    "due",
    "tre",
    "quattro",
    "cinque",
    "sei",
    "sette",
    "otto",
    "nove",
    "dieci",
    "undici",
    "dodici",
    "tredici",
    "quattordici",
    "quindici",
    "sedici",
    "diciassette",
    "diciotto",
    "diciannove",
]
_TENS = {20: "venti", 30: "trenta", 40: "quaranta", 50: "cinquanta", 60: "sessanta", 70: "settanta", 80: "ottanta",
         90: "novanta"}  # fmt: skip


def _numbers() -> dict[str, int]:
    numbers = {word: n for n, word in enumerate(_TO_19, start=1)}
    for ten, word in _TENS.items():
        numbers[word] = ten
        for n, one in enumerate(_TO_19[:9], start=1):
            numbers[(word[:-1] if n in (1, 8) else word) + one] = ten + n
    return {**numbers, "cento": 100, "una dozzina": 12}


def _ordinals() -> dict[str, int]:
    stems = ["prim", "second", "terz", "quart", "quint", "sest", "settim", "ottav", "non", "decim"]
    return {stem + end: n for n, stem in enumerate(stems, start=1) for end in ("o", "a", "i", "e")}


LANGUAGE = Language(
    code="it",
    order="dmy",
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "mar, mer, dom, set, ott, mag, secondo, ora, adesso, estate, inverno, autunno, primavera, natale, sera, "
        "gen, sei, prima, non, none, seconda, quarto, ore, sab, gio, ven, lun"
    ),
    marks=(
        "il, la, lo, gli, le, e, è, che, di, del, della, per, non, con, un, una, sono, ci, ho, alle, dalle, nel, "
        "grazie"
    ),
    words={
        "WEEKDAY": {0: "lunedì, lun", 1: "martedì, mar", 2: "mercoledì, mer", 3: "giovedì, gio", 4: "venerdì, ven",
            5: "sabato, sab", 6: "domenica, dom",
        },
        "MONTH": {1: "gennaio, gen, genn", 2: "febbraio, feb, febbr", 3: "marzo, mar", 4: "aprile, apr",
            5: "maggio, mag", 6: "giugno, giu", 7: "luglio, lug", 8: "agosto, ago", 9: "settembre, set, sett",
            10: "ottobre, ott", 11: "novembre, nov", 12: "dicembre, dic",
        },
        "UNIT": {"second": "secondo, secondi, sec", "minute": "minuto, minuti, min", "hour": "ora, ore, h",
            "day": "giorno, giorni, giornata",
            "workday": "giorno lavorativo, giorni lavorativi, giorno feriale, giorni feriali",
            "week": "settimana, settimane", "month": "mese, mesi", "quarter": "trimestre, trimestri",
            "year": "anno, anni", "decade": "decennio, decenni", "century": "secolo, secoli",
            "night": "notte, notti",
        },
        "UNITS": {"day": "giorni", "week": "settimane", "month": "mesi"},
        "DAYREF": {0: "oggi", 1: "domani", -1: "ieri", 2: "dopodomani, dopo domani",
            -2: "l'altro ieri, avantieri, altroieri",
        },
        "PARTREF": {"0 night": "stanotte, questa notte", "0 evening": "stasera, questa sera",
            "0 morning": "stamattina, stamani, questa mattina", "-1 evening": "ieri sera",
            "1 morning": "domani mattina, domattina", "0 afternoon": "questo pomeriggio",
            "-1 night": "ieri notte, la notte scorsa",
        },
        "PART": {"dawn": "alba", "morning": "mattina, mattino, mattinata, di mattina, del mattino",
            "noon": "mezzogiorno", "lunch": "pranzo, ora di pranzo",
            "afternoon": "pomeriggio, di pomeriggio, del pomeriggio", "evening": "sera, serata, di sera",
            "night": "notte, di notte", "dinner": "cena",
        },
        "NOW": {0: "adesso, ora, subito, immediatamente, in questo momento, al più presto"},
        "REL": {0: "questo, questa, questi, queste, quest', quest’, in corso",
            1: "prossimo, prossima, prossimi, prossime, seguente, successivo, successiva",
            -1: "scorso, scorsa, scorsi, scorse, ultimo, ultima, ultimi, ultime, passato, passata",
        },
        "RELPOST": {
            1: "prossimo, prossima, prossimi, prossime, seguente, successivo, successiva, che viene, entrante",
            -1: "scorso, scorsa, scorsi, scorse, passato, passata, passati, passate, precedente",
            0: "in corso, corrente",
        },
        "SAME": {0: "stesso, stessa"},
        "LAST": {0: "ultimo, ultima, ultimi, ultime"},
        "A": {1: "un, una, uno, un', un’, un'altra"},
        "HALF": {0: "mezzo, mezza, mezz', mezz’, metà"},
        "FEW": {0: "alcuni, alcune, qualche, pochi, poche, diversi, diverse"},
        "COUPLE": {0: "paio, coppia"},
        "QUARTERMARK": {15: "quarto"},
        "QUARTEROF": {0.25: "quarto", 0.75: "tre quarti"},
        "LENGTHWORD": {1800: "mezzora, mezz'ora, mezz’ora, una mezz'ora"},
        "OF": {0: "di, del, della, dell', dell’, dello, dei, nel, in, delle"},
        "IN": {0: "in, nel, nella, di, del, della, al, alla, nelle, a, la, il"},
        "ON": {0: "il, per il, di, del, per, lo"},
        "AT": {0: "alle, alle ore, all', all’, verso le, intorno alle, ore, le, le ore, a, per le, attorno alle"},
        "DURING": {0: "durante, nel corso di"},
        "THE": {0: "il, la, lo, l', l’, i, gli, le, al, alla, nel, del"},
        "THEDAY": {0: "il, il giorno, dal, al, l', l’, per il, entro il, del"},
        "FROM": {0: "da, dal, dalla, dalle, dalle ore, dall', dall’, a partire da, a partire dal, a partire dalle"},
        "TO": {0: "a, al, alla, alle, alle ore, fino a, fino al, fino alle, all', all’, sino a"},
        "UNTIL": {0: "fino a, fino al, fino alla, fino alle, sino a, sino al, finché"},
        "BETWEEN": {0: "tra, fra, tra le, fra le, tra il, fra il"},
        "AND": {0: "e, ed, e le, e il, &"},
        "OR": {0: "o, oppure"},
        "BEFORE": {0: "prima di, prima del, prima della, prima delle, prima dell'"},
        "AFTER": {0: "dopo, dopo il, dopo la, dopo le, dopo di"},
        "BY": {0: "entro, entro il, entro la, entro le, non oltre, non oltre il, per il, entro e non oltre il"},
        "SINCE": {0: "da, dal, dalla, dalle, a partire da, a partire dal, a partire dalle"},
        "STARTING": {0: "a partire da, a partire dal"},
        "FOR": {0: "per"},
        "ORLATER": {0: "o più tardi, o dopo, in poi"},
        "OREARLIER": {0: "o prima, al più tardi"},
        "WITHIN": {0: "entro, in meno di"},
        "INDUR": {0: "tra, fra, in"},
        "AGO": {0: "fa, prima, addietro, or sono"},
        "HENCE": {0: "dopo, più tardi, da adesso, da ora, da oggi, a partire da adesso, a partire da ora"},
        "ABOUT": {0: "circa, quasi, verso, pressappoco, più o meno"},
        "MORE": {0: "più di, almeno"},
        "LESS": {0: "meno di"},
        "EDGEPRE": {"start": "inizio, l'inizio, all'inizio, gli inizi, principio", "middle": "metà, a metà",
            "end": "fine, la fine, alla fine",
        },
        "EDGE": {"start": "inizio, l'inizio, all'inizio, gli inizi, principio", "middle": "metà, a metà",
            "end": "fine, la fine, alla fine",
        },
        "EDGEUNIT": {"end day": "fine giornata, fine della giornata", "end month": "fine mese",
            "end year": "fine anno", "end week": "fine settimana lavorativa",
        },
        "EARLY": {"early": "presto, prima, primo, inizio"},
        "LATE": {"late": "tardi, tarda, tardo"},
        "AM": {"am": "am, a.m., di mattina, del mattino"},
        "PM": {"pm": "pm, p.m., del pomeriggio, di pomeriggio, di sera"},
        "OCLOCK": {0: "in punto"},
        "HMARK": {0: "h"},
        "MINUTEWORD": {0: "minuti, minuto"},
        "NOON": {0: "mezzogiorno"},
        "MIDNIGHT": {0: "mezzanotte"},
        "CLOCKAND": {0: "e"},
        "CLOCKMINUS": {0: "meno"},
        "CLOCKPART": {30: "mezza, mezzo", 15: "un quarto, quarto", 45: "tre quarti"},
        "ORDMARK": {0: "º, o, °"},
        "QMARK": {0: "t"},
        "QUARTERWORD": {0: "trimestre"},
        "DECADEPRE": {0: "anni, gli anni"},
        "YEARWORD": {0: "anno"},
        "WEEKWORD": {0: "settimana"},
        "SEASON": {"spring": "primavera", "summer": "estate", "autumn": "autunno", "winter": "inverno"},
        "WEEKEND": {0: "fine settimana, weekend, finesettimana"},
        "EVERY": {0: "ogni, tutti i, tutte le, ciascun, ciascuna"},
        "FREQ": {"DAILY": "quotidianamente, giornalmente", "WEEKLY": "settimanalmente, settimanale",
            "MONTHLY": "mensilmente, mensile", "YEARLY": "annualmente, annuale"},
        "NOT": {0: "non, tranne, eccetto, salvo, ma non, a parte"},
        "ZONE": {"UTC": "utc, gmt, z"},
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "capodanno", "new year eve": "san silvestro, vigilia di capodanno",
            "epiphany": "epifania, befana", "valentine": "san valentino", "good friday": "venerdì santo",
            "easter": "pasqua", "easter monday": "pasquetta, lunedì dell'angelo",
            "liberation it": "festa della liberazione", "labour": "festa del lavoro, primo maggio",
            "assumption": "ferragosto", "all saints": "ognissanti", "christmas eve": "vigilia di natale",
            "christmas": "natale", "boxing": "santo stefano", "halloween": "halloween",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "riunione, incontro, incontrarci, incontrare, appuntamento, chiamata, call, parlare, sentirci, "
            "vederci, colloquio, videochiamata, videoconferenza, caffè, disponibile, disponibilità, fissare, "
            "discutere, confrontarci, "
            "libero, libera, pranzo, cena",
        },
        "MOVE": {0: "spostare, rimandare, posticipare, anticipare"},
        "WITH": {0: "con, assieme a, insieme a"},
        "FLEX": {0: "flessibile, quando vuoi, quando volete, in qualsiasi momento"},
        "DUE": {0: "scadenza, termine ultimo, scade, scade il, al più tardi"},
        "ROOM": {0: "sala, ufficio, stanza, bar, ristorante, sede, edificio"},
        "REQUEST": {
            0: "possiamo, potremmo, potresti, potrebbe, puoi, può, per favore, vorrei, mi piacerebbe, ti va, le va, "
            "che ne dici, hai, avete, sei, quando, propongo",
        },
    },
)  # fmt: skip
