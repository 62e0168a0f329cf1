"""French."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language

_TO_19 = [
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}


def _numbers() -> dict[str, int]:
    numbers = {word: n for n, word in enumerate(_TO_19, start=1) if n > 1}
    for ten, word in _TENS.items():
        numbers[word] = ten
        for one, small in enumerate(_TO_19[: 19 if ten >= 60 else 9], start=1):
            for joint in ("-", " ", "-et-", " et "):
                numbers[f"{word}{joint}{small}"] = ten + one
    return {**numbers, "quatre-vingts": 80, "cent": 100, "une douzaine": 12}


def _ordinals() -> dict[str, int]:
    stems = {n: word.rstrip("e") + "ième" for n, word in enumerate(_TO_19, start=1)}
    stems |= {5: "cinquième", 9: "neuvième", 20: "vingtième", 30: "trentième"}
    return {**{word: n for n, word in stems.items()}, "premier": 1, "première": 1, "second": 2, "seconde": 2,
            "premiers": 1, "premières": 1}  # fmt: skip


LANGUAGE = Language(
    code="fr",
    order="dmy",
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "mar, mars, mai, sam, dim, mer, jeu, ven, lun, été, automne, seconde, second, maintenant, hiver, "
        "printemps, midi, pâques, noël, avr, an, ans, premier, tôt, tard"
    ),
    marks=(
        "le, la, les, et, est, je, nous, vous, de, des, du, un, une, pour, pas, avec, dans, que, qui, au, à, il, "
        "on, sur"
    ),
    words={
        "WEEKDAY": {0: "lundi, lun", 1: "mardi, mar", 2: "mercredi, mer", 3: "jeudi, jeu", 4: "vendredi, ven",
            5: "samedi, sam", 6: "dimanche, dim",
        },
        "WEEKDAYS": {"MO": "les lundis", "TU": "les mardis", "WE": "les mercredis", "TH": "les jeudis",
            "FR": "les vendredis", "SA": "les samedis", "SU": "les dimanches"},
        "MONTH": {1: "janvier, janv, jan", 2: "février, févr, fév", 3: "mars", 4: "avril, avr", 5: "mai", 6: "juin",
            7: "juillet, juil", 8: "août", 9: "septembre, sept", 10: "octobre, oct", 11: "novembre, nov",
            12: "décembre, déc",
        },
        "UNIT": {"second": "seconde, secondes, sec", "minute": "minute, minutes, min, mn",
            "hour": "heure, heures, h", "day": "jour, jours, journée, journées",
            "workday": "jour ouvré, jours ouvrés, jour ouvrable, jours ouvrables", "week": "semaine, semaines",
            "month": "mois", "quarter": "trimestre, trimestres", "year": "an, ans, année, années",
            "decade": "décennie, décennies", "century": "siècle, siècles", "night": "nuit, nuits",
        },
        "UNITS": {"day": "jours", "week": "semaines"},
        "DAYREF": {0: "aujourd'hui, aujourd’hui", 1: "demain", -1: "hier", 2: "après-demain, après demain",
            -2: "avant-hier, avant hier",
        },
        "PARTREF": {"0 evening": "ce soir", "0 night": "cette nuit", "-1 evening": "hier soir",
            "0 morning": "ce matin", "0 afternoon": "cet après-midi, cette après-midi", "1 morning": "demain matin",
        },
        "PART": {"dawn": "aube", "morning": "matin, matinée, du matin, le matin", "noon": "midi",
            "lunch": "déjeuner, heure du déjeuner",
            "afternoon": "après-midi, après midi, de l'après-midi, de l’après-midi, aprèm",
            "evening": "soir, soirée, du soir, le soir", "night": "nuit, de la nuit", "dinner": "dîner",
        },
        "NOW": {0: "maintenant, tout de suite, immédiatement, en ce moment, dès que possible, à présent"},
        "REL": {0: "ce, cet, cette, ces", 1: "prochain, prochaine, prochains, prochaines",
            -1: "dernier, dernière, derniers, dernières",
        },
        "RELPOST": {0: "en cours, courant",
            1: "prochain, prochaine, prochains, prochaines, suivant, suivante, suivants, suivantes, qui vient",
            -1: "dernier, dernière, derniers, dernières, passé, passée, passés, passées, précédent, précédente",
        },
        "SAME": {0: "même"},
        "LAST": {0: "dernier, dernière, derniers, dernières"},
        "A": {1: "un, une, l', l’, une petite"},
        "HALF": {0: "demi, demie, demi-, moitié"},
        "FEW": {0: "quelques, plusieurs"},
        "COUPLE": {0: "couple"},
        "QUARTERMARK": {15: "quart"},
        "QUARTEROF": {0.25: "quart", 0.75: "trois quarts"},
        "OF": {0: "de, du, des, d', d’, de la, en, au"},
        "IN": {0: "en, dans, à, au, le, dans la, la, l', l’, pendant, de, du"},
        "ON": {0: "le, au, pour le, ce"},
        "AT": {0: "à, vers, à partir de, aux environs de, aux alentours de"},
        "DURING": {0: "pendant, durant, au cours de"},
        "THE": {0: "le, la, les, l', l’, du, au"},
        "THEDAY": {0: "le, du, au"},
        "FROM": {0: "de, du, depuis, dès, à partir de, à partir du"},
        "TO": {0: "à, au, jusqu'à, jusqu'au, jusqu’à, jusqu’au"},
        "UNTIL": {0: "jusqu'à, jusqu'au, jusqu’à, jusqu’au, jusque"},
        "BETWEEN": {0: "entre, entre le"},
        "AND": {0: "et, &"},
        "OR": {0: "ou"},
        "BEFORE": {0: "avant, avant le, avant la"},
        "AFTER": {0: "après, après le, après la"},
        "BY": {0: "d'ici, d’ici, d'ici le, d’ici le, d'ici à, d’ici à, avant le, au plus tard, au plus tard le"},
        "EVERSINCE": {0: "depuis, depuis le"},
        "SINCE": {0: "dès, à partir de, à partir du, à compter du, à partir d'"},
        "STARTING": {0: "à partir de, à partir du, à partir d', à compter de"},
        "FOR": {0: "pour, pendant, durant"},
        "ORLATER": {0: "ou plus tard, ou après"},
        "OREARLIER": {0: "ou plus tôt, ou avant, au plus tard"},
        "WITHIN": {0: "d'ici, d’ici, en moins de, dans un délai de"},
        "INDUR": {0: "dans, d'ici, d’ici"},
        "AGOPRE": {0: "il y a, ça fait"},
        "HENCE": {0: "plus tard, à partir de maintenant, à partir d'aujourd'hui"},
        "AGO": {0: "plus tôt, auparavant"},
        "ABOUT": {0: "environ, à peu près, vers, autour de, presque"},
        "MORE": {0: "plus de, plus d', au moins"},
        "LESS": {0: "moins de, au plus"},
        "EDGEPRE": {"start": "début, le début, au début, en début", "middle": "milieu, mi-, au milieu",
            "end": "fin, la fin, à la fin, en fin",
        },
        "EDGE": {"start": "début, le début, au début, en début", "middle": "milieu, mi-, au milieu",
            "end": "fin, la fin, à la fin, en fin",
        },
        "EDGEUNIT": {"end day": "fin de journée, fin de la journée",
            "end week": "fin de semaine, fin de la semaine", "end month": "fin de mois, fin du mois",
            "end year": "fin d'année, fin de l'année",
        },
        "EARLY": {"early": "tôt, début de, en début de, début d', début d’, en début d'"},
        "LATE": {"late": "tard, fin de, en fin de, fin d', fin d’, en fin d'"},
        "AM": {"am": "am, du matin"},
        "PM": {"pm": "pm, de l'après-midi, du soir, de l’après-midi"},
        "OCLOCK": {0: "heures, heure"},
        "HMARK": {0: "h"},
        "MINUTEWORD": {0: "minutes, minute"},
        "NOON": {0: "midi"},
        "MIDNIGHT": {0: "minuit"},
        "CLOCKAND": {0: "et"},
        "CLOCKMINUS": {0: "moins"},
        "CLOCKPART": {30: "demie, demi", 15: "quart, un quart, le quart"},
        "ORDMARK": {0: "er, e, ème, ère"},
        "QMARK": {0: "t"},
        "QUARTERWORD": {0: "trimestre"},
        "DECADEPRE": {0: "années"},
        "YEARWORD": {0: "année, an, l'an"},
        "WEEKWORD": {0: "semaine, semaine n°"},
        "SEASON": {"spring": "printemps", "summer": "été", "autumn": "automne", "winter": "hiver"},
        "WEEKEND": {0: "week-end, weekend"},
        "EVERY": {0: "chaque, tous les, toutes les"},
        "FREQ": {"DAILY": "quotidien, quotidiennement", "WEEKLY": "hebdomadaire, hebdomadairement",
            "MONTHLY": "mensuel, mensuellement",
            "MONTHLY;INTERVAL=3": "trimestriel", "YEARLY": "annuel, annuellement"},
        "NOT": {0: "pas, sauf, excepté, hormis, pas le, à l'exception"},
        "ZONE": {"UTC": "utc, gmt, z"},
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "jour de l'an, nouvel an, le nouvel an",
            "new year eve": "saint-sylvestre, réveillon du nouvel an", "epiphany": "épiphanie",
            "valentine": "saint-valentin, saint valentin", "good friday": "vendredi saint", "easter": "pâques",
            "easter monday": "lundi de pâques", "labour": "fête du travail", "ascension": "ascension",
            "pentecost": "pentecôte", "whit monday": "lundi de pentecôte", "bastille": "fête nationale",
            "assumption": "assomption", "all saints": "toussaint",
            "christmas eve": "veille de noël, réveillon de noël", "christmas": "noël, jour de noël",
            "halloween": "halloween",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "réunion, rencontrer, rendez-vous, rencontre, appel, discuter, entretien, point, se voir, visio, "
            "visioconférence, café, créneau, disponible, disponibilités, parler, conférence, atelier, reporter, rdv, "
            "échanger, "
            "libre, déjeuner, dîner, nous voir",
        },
        "MOVE": {0: "reporter, déplacer, décaler, avancer"},
        "WITH": {0: "avec"},
        "FLEX": {0: "flexible, n'importe quand, quand vous voulez, quand tu veux, à votre convenance"},
        "DUE": {0: "échéance, date limite, au plus tard le, délai, dernier délai"},
        "ROOM": {0: "salle, bureau, café, restaurant, cantine, siège, locaux, bâtiment"},
        "REQUEST": {
            0: "pouvons-nous, pourrions-nous, peut-on, pourriez-vous, pouvez-vous, voulez-vous, s'il vous plaît, "
            "merci de, je voudrais, j'aimerais, seriez-vous, es-tu, êtes-vous, on pourrait, quand, je propose, "
            "est-ce que",
        },
    },
)  # fmt: skip
