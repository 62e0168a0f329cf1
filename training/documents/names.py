"""Names that nobody has seen before, so that a model has to copy them: made of syllables as often as of words."""

from __future__ import annotations

from random import Random

_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pf",
    "ph",
    "pl",
    "qu",
    "r",
    "s",
    "sch",
    "sh",
    "sk",
    "sl",
    "st",
    "str",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "x",
    "y",
    "z",
]
_VOWELS = [
    "a",
    "a",
    "a",
    "e",
    "e",
    "e",
    "i",
    "i",
    "o",
    "o",
    "u",
    "u",
    "ai",
    "au",
    "ea",
    "ei",
    "ie",
    "io",
    "oo",
    "ou",
    "y",
]
_ACCENTED = [
    "ä",
    "ö",
    "ü",
    "é",
    "è",
    "ê",
    "á",
    "í",
    "ó",
    "ú",
    "à",
    "ò",
    "ç",
    "ñ",
    "ø",
    "å",
    "ë",
    "ï",
    "ô",
    "û",
    "â",
    "î",
    "ß",
    "š",
    "ž",
    "č",
    "ł",
]
_CODAS = [
    "b",
    "ck",
    "d",
    "f",
    "g",
    "k",
    "l",
    "ll",
    "lt",
    "m",
    "n",
    "nd",
    "ng",
    "nk",
    "nt",
    "p",
    "r",
    "rd",
    "rg",
    "rk",
    "rn",
    "rt",
    "s",
    "ss",
    "st",
    "t",
    "tt",
    "tz",
    "v",
    "x",
    "z",
]

_FIRST = [
    "Anna",
    "Tom",
    "Lena",
    "Paul",
    "Marie",
    "Jean",
    "Sofia",
    "Luca",
    "Eva",
    "Jan",
    "Clara",
    "Hugo",
    "Laura",
    "Marco",
    "Nina",
    "David",
    "Carmen",
    "Pedro",
    "Ines",
    "Karl",
    "Emma",
    "Noah",
    "Mia",
    "Leon",
    "Zoé",
    "Théo",
    "Chloé",
    "Léa",
    "Jürgen",
    "Björn",
    "Käthe",
    "Søren",
    "José",
    "María",
    "Núria",
    "Iñaki",
    "Gianni",
    "Chiara",
    "Pieter",
    "Sanne",
    "Daan",
    "Fleur",
    "Margaret",
    "Walter",
    "Oscar",
    "Rita",
    "Samuel",
    "Grace",
    "Henry",
    "Alice",
    "Priya",
    "Ravi",
    "Mei",
    "Yusuf",
    "Fatima",
    "Olga",
    "Ivan",
    "Ana",
    "Joao",
    "Kofi",
    "Amara",
    "Li",
]
_LAST = [
    "Meier",
    "Schulze",
    "Weber",
    "Brandt",
    "Köhler",
    "Müller",
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Walker",
    "Martin",
    "Dubois",
    "Lefèvre",
    "Moreau",
    "Petit",
    "García",
    "López",
    "Fernández",
    "Ruiz",
    "Castro",
    "Rossi",
    "Bianchi",
    "Ferrari",
    "Greco",
    "Conti",
    "Jansen",
    "Visser",
    "Bakker",
    "Mulder",
    "Smit",
    "Novak",
    "Kowalski",
    "Olsen",
    "Berg",
    "Lindqvist",
    "Hansen",
    "Kumar",
    "Singh",
    "Chen",
    "Wang",
    "Okafor",
    "Mensah",
    "Ito",
    "Sato",
    "Silva",
    "Costa",
    "Peeters",
    "Claes",
    "Wouters",
    "O'Neill",
]
_WORDS = [
    "Cloud",
    "Nine",
    "Silver",
    "River",
    "Stone",
    "Harbour",
    "Blue",
    "North",
    "Star",
    "Oak",
    "Green",
    "Field",
    "Bright",
    "Iron",
    "Fox",
    "Copper",
    "Lake",
    "Swift",
    "Atlas",
    "Delta",
    "Summit",
    "Anchor",
    "Lumen",
    "Vector",
    "Nova",
    "Orbit",
    "Terra",
    "Aqua",
    "Solar",
    "Alpha",
    "Prime",
    "Alpen",
    "Rhein",
    "Nord",
    "Süd",
    "West",
    "Hafen",
    "Berg",
    "Wald",
    "Licht",
    "Soleil",
    "Rivière",
    "Étoile",
    "Mer",
    "Bois",
    "Sol",
    "Luna",
    "Monte",
    "Casa",
    "Verde",
    "Rojo",
    "Mare",
    "Ponte",
    "Fiore",
    "Noord",
    "Zee",
    "Haven",
    "Molen",
    "Dijk",
]
_TRADES: dict[str, str] = {
    "en": "Services Trading Logistics Software Consulting Foods Printing Catering Motors Design Energy Supplies Media Labs",
    "de": "Bau Technik Handel Logistik Druck Elektro Metallbau Beratung Bäckerei Gartenbau Systeme Möbel Reinigung Medien",
    "fr": "Transports Conseil Bâtiment Informatique Imprimerie Boulangerie Services Énergie Distribution Menuiserie Médias",
    "es": "Servicios Transportes Construcciones Sistemas Imprenta Alimentos Consultores Muebles Energía Distribuciones",
    "it": "Servizi Trasporti Costruzioni Sistemi Stampa Alimentari Consulenza Arredi Energia Impianti Officine",
    "nl": "Diensten Transport Bouw Systemen Drukwerk Bakkerij Advies Meubelen Energie Techniek Handel",
}
_FORMS: dict[str, str] = {
    "en": "Ltd;Ltd.;LLC;Inc.;plc;Limited;LLP;& Co.;Corp.;Group;;",
    "de": "GmbH;AG;GmbH & Co. KG;KG;e.K.;UG (haftungsbeschränkt);OHG;mbH;e.V.;& Söhne;;",
    "fr": "SARL;SAS;SA;EURL;S.A.S.;SNC;et Fils;;",
    "es": "S.L.;S.A.;SL;S.L.U.;S.C.;e Hijos;;",
    "it": "S.r.l.;SRL;S.p.A.;s.n.c.;S.a.s.;e Figli;;",
    "nl": "B.V.;BV;N.V.;V.O.F.;& Zn.;;",
}
_STREETS: dict[str, str] = {
    "en": "{n} {s} Street;{n} {s} Road;{n} {s} Lane;Unit {n}, {s} Park;{n} {s} Ave",
    "de": "{s}straße {n};{s}weg {n};Am {s} {n};{s}platz {n};{s}str. {n}",
    "fr": "{n} rue {s};{n}, avenue {s};{n} bd {s};{n} place {s}",
    "es": "Calle {s} {n};Avda. {s}, {n};C/ {s} {n};Plaza {s} {n}",
    "it": "Via {s} {n};Viale {s}, {n};Piazza {s} {n};Corso {s} {n}",
    "nl": "{s}straat {n};{s}laan {n};{s}weg {n};{s}plein {n}",
}
_CITIES: dict[str, str] = {
    "en": "{s} {z};{s}, {z}",
    "de": "{d} {s};D-{d} {s}",
    "fr": "{d} {s};{d} {s} Cedex",
    "es": "{d} {s};{d} {s} (Madrid)",
    "it": "{d} {s};{d} {s} (MI)",
    "nl": "{q} {s}",
}


def syllabic(r: Random) -> str:
    """A made-up name: Trondak, Veil, Öckmar."""
    parts: list[str] = []
    for _ in range(r.choice((1, 2, 2, 2, 3, 3, 4))):
        vowel = r.choice(_ACCENTED) if r.random() < 0.06 else r.choice(_VOWELS)
        parts.append(r.choice(_ONSETS) * (r.random() < 0.85) + vowel + r.choice(_CODAS) * (r.random() < 0.45))
    word = "".join(parts)
    return word[:12].capitalize() if len(word) > 2 else syllabic(r)


def word(r: Random) -> str:
    """One word of a name, made up more often than not."""
    return syllabic(r) if r.random() < 0.6 else r.choice(_WORDS if r.random() < 0.6 else _LAST)


def person(r: Random) -> str:
    """A first and a last name, sometimes with a middle one or an initial."""
    first = syllabic(r) if r.random() < 0.35 else r.choice(_FIRST)
    last = syllabic(r) if r.random() < 0.45 else r.choice(_LAST)
    middle = r.choice(("", "", "", "", "", "", f"{r.choice('ABCDEFGHJKLMRSTW')}. ", "de ", "van ", "von "))
    return f"{first} {middle}{last}"


def company(r: Random, language: str) -> str:
    """A company: with a legal form or without, of words or of syllables, sometimes shouted."""
    trade = r.choice(_TRADES[language].split())
    form = r.choice(_FORMS[language].split(";"))
    pattern = r.choice(
        ("{a} {form}", "{a} {b} {form}", "{a} {trade} {form}", "{a} {trade} {form}", "{a} & {b} {form}", "{trade} {a} {form}",
         "{a}-{b} {form}", "{a} {trade}", "{a}{tail} {form}", "{person}", "{person} {trade}", "{a}.{tail}", "{a} {b} {trade} {form}",
         "{abc} {trade} {form}", "{abc} {form}", "{n} {a} {form}")
    )  # fmt: skip
    name = pattern.format(
        a=word(r),
        b=word(r),
        trade=trade,
        form=form,
        person=person(r),
        tail=r.choice(("tech", "soft", "net", "io", "ware", "con", "tec")),
        abc="".join(r.choice("ABCDEFGHIKLMNOPRSTVWZ") for _ in range(r.randint(2, 4))),
        n=r.randint(1, 360),
    )
    name = " ".join(name.split())
    return name.upper() if r.random() < 0.08 else name


def street(r: Random, language: str) -> str:
    """A street with a house number."""
    return r.choice(_STREETS[language].split(";")).format(n=r.randint(1, 240), s=word(r))


def town(r: Random, language: str) -> str:
    """A town with its postal code."""
    letters = "ABCDEFGHJKLMNPRSTUWXYZ"
    return r.choice(_CITIES[language].split(";")).format(
        s=word(r),
        d=r.randint(10000, 99999),
        z=f"{r.choice(letters)}{r.randint(1, 29)} {r.randint(1, 9)}{r.choice(letters)}{r.choice(letters)}",
        q=f"{r.randint(1000, 9999)} {r.choice(letters)}{r.choice(letters)}",
    )


def mailbox(r: Random, name: str) -> str:
    """An e-mail address that goes with a name."""
    host = "".join(each for each in name.lower() if each.isascii() and each.isalnum())[:12] or "mail"
    user = r.choice(("info", "office", "billing", "kontakt", "contact", syllabic(r).lower()))
    return f"{user}@{host}.{r.choice(('com', 'de', 'fr', 'es', 'it', 'nl', 'eu', 'org', 'example'))}"
