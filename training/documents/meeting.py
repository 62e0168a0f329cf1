"""Meeting requests: when, for how long, where and with whom."""

from __future__ import annotations

from random import Random

from training.documents import mail_words as words
from training.documents import names, values
from training.documents.mail import Writer, writer
from training.documents.mail_words import options
from training.task import Meeting

FAMILIES = ("sentences", "letter", "labels", "labels-letter", "headers", "mixed", "one-line", "thread")
HELD_OUT = ("x-table", "x-invite")

# The last sentence, and the last label, are held out.
_WHEN: dict[str, str] = {
    "en": "Can we meet on {w}?;How about {w}?;Would {w} suit you?;Let us meet {w}.;The meeting takes place on {w}.;I have put us down for {w}.",
    "de": "Können wir uns am {w} treffen?;Wie wäre es mit {w}?;Passt Ihnen {w}?;Treffen wir uns {w}.;Die Besprechung ist am {w}.;Ich habe uns {w} eingetragen.",
    "fr": "Peut-on se voir le {w} ?;Que diriez-vous de {w} ?;Est-ce que {w} vous convient ?;La réunion a lieu le {w}.;Je nous ai notés pour {w}.",
    "es": "¿Podemos vernos el {w}?;¿Qué tal {w}?;¿Le viene bien {w}?;La reunión es el {w}.;Nos he apuntado para {w}.",
    "it": "Possiamo vederci il {w}?;Che ne dice di {w}?;Le va bene {w}?;La riunione si tiene il {w}.;Ci ho segnati per {w}.",
    "nl": "Kunnen we afspreken op {w}?;Wat denkt u van {w}?;Schikt {w} u?;De vergadering is op {w}.;Ik heb ons genoteerd voor {w}.",
}
_LONG: dict[str, str] = {
    "en": "It will take {d}.;Please plan {d}.;We need about {d}.;I reckon with {d}.",
    "de": "Es dauert {d}.;Bitte planen Sie {d} ein.;Wir brauchen etwa {d}.;Ich rechne mit {d}.",
    "fr": "Cela durera {d}.;Prévoyez {d}.;Il nous faut environ {d}.;Je compte {d}.",
    "es": "Durará {d}.;Reserve {d}, por favor.;Necesitamos unos {d}.;Cuento con {d}.",
    "it": "Durerà {d}.;Prevedete {d}.;Ci servono circa {d}.;Conto su {d}.",
    "nl": "Het duurt {d}.;Reserveert u {d}.;We hebben ongeveer {d} nodig.;Ik reken op {d}.",
}
_WHERE: dict[str, str] = {
    "en": "We meet at {p}.;The place is {p}.;Let us meet in {p}.;Come to {p}.",
    "de": "Wir treffen uns hier: {p}.;Der Ort ist {p}.;Treffpunkt ist {p}.;Kommen Sie zu {p}.",
    "fr": "Rendez-vous à {p}.;Le lieu est {p}.;On se retrouve ici : {p}.;Venez à {p}.",
    "es": "Nos vemos en {p}.;El lugar es {p}.;Quedamos en {p}.;Venga a {p}.",
    "it": "Ci vediamo a {p}.;Il luogo è {p}.;Ci troviamo presso {p}.;Venite a {p}.",
    "nl": "We spreken af bij {p}.;De plaats is {p}.;We zien elkaar in {p}.;Komt u naar {p}.",
}
_WHO: dict[str, str] = {
    "en": "{n} will join us.;I would invite {n}.;With us: {n}.;{n} should be there as well.",
    "de": "{n} kommt dazu.;Ich würde {n} einladen.;Mit dabei: {n}.;{n} sollte auch da sein.",
    "fr": "{n} sera avec nous.;J'inviterais {n}.;Avec nous : {n}.;{n} devrait être là aussi.",
    "es": "{n} nos acompañará.;Invitaría a {n}.;Con nosotros: {n}.;{n} debería estar también.",
    "it": "{n} sarà con noi.;Inviterei {n}.;Con noi: {n}.;Dovrebbe esserci anche {n}.",
    "nl": "{n} komt erbij.;Ik zou {n} uitnodigen.;Met ons: {n}.;{n} zou er ook bij moeten zijn.",
}
_NOT: dict[str, str] = {
    "en": "{w} does not work for me.;I am away on {w}.;Instead of {w}.",
    "de": "{w} geht bei mir nicht.;Am {w} bin ich verreist.;Anstelle von {w}.",
    "fr": "{w} n'est pas possible pour moi.;Je suis absent le {w}.;Au lieu de {w}.",
    "es": "{w} no me viene bien.;El {w} estoy fuera.;En lugar de {w}.",
    "it": "{w} per me non va bene.;Il {w} sono via.;Invece di {w}.",
    "nl": "{w} lukt mij niet.;Op {w} ben ik weg.;In plaats van {w}.",
}
_LABELS: dict[str, tuple[str, str, str, str]] = {
    "en": ("When;Date;Time;Date and time;Slot", "Duration;Length;How long;Span", "Where;Place;Location;Room;Venue", "Who;Participants;With;Attendees;Guests"),
    "de": ("Wann;Termin;Zeit;Datum;Zeitpunkt", "Dauer;Länge;Umfang", "Wo;Ort;Raum;Treffpunkt;Stätte", "Wer;Teilnehmer;Mit;Teilnehmende;Gäste"),
    "fr": ("Quand;Date;Heure;Créneau", "Durée;Longueur;Temps prévu", "Où;Lieu;Salle;Endroit", "Qui;Participants;Avec;Invités"),
    "es": ("Cuándo;Fecha;Hora;Momento", "Duración;Tiempo;Extensión", "Dónde;Lugar;Sala;Sitio", "Quién;Participantes;Con;Invitados"),
    "it": ("Quando;Data;Ora;Momento", "Durata;Tempo;Lunghezza", "Dove;Luogo;Sala;Posto", "Chi;Partecipanti;Con;Invitati"),
    "nl": ("Wanneer;Datum;Tijd;Moment", "Duur;Lengte;Tijdsduur", "Waar;Plaats;Zaal;Locatie", "Wie;Deelnemers;Met;Gasten"),
}  # fmt: skip
_AT: dict[str, str] = {
    "en": "{a} at {t};{a}, {t};{a} {t};{a} at {t}",
    "de": "{a} um {t};{a}, {t} Uhr;{a} um {t} Uhr;{a} {t}",
    "fr": "{a} à {t};{a}, {t};{a} {t}",
    "es": "{a} a las {t};{a}, {t};{a} {t}",
    "it": "{a} alle {t};{a}, {t};{a} ore {t}",
    "nl": "{a} om {t};{a}, {t} uur;{a} {t}",
}
_PART_OF_DAY: dict[str, str] = {
    "en": "tomorrow;{w} morning;next week;{w} afternoon;next {w}",
    "de": "morgen;{w} Vormittag;nächste Woche;{w} Nachmittag;nächsten {w}",
    "fr": "demain;{w} matin;la semaine prochaine;{w} après-midi;{w} prochain",
    "es": "mañana;{w} por la mañana;la próxima semana;{w} por la tarde;el próximo {w}",
    "it": "domani;{w} mattina;la prossima settimana;{w} pomeriggio;{w} prossimo",
    "nl": "morgen;{w}ochtend;volgende week;{w}middag;volgende {w}",
}
_SPANS: dict[str, str] = {
    "en": "{n} minutes;an hour;{n} min;half an hour;two hours;1.5 hours;{h} h;{h} hours;{n}min",
    "de": "{n} Minuten;eine Stunde;{n} Min.;eine halbe Stunde;zwei Stunden;1,5 Stunden;{h} Std.;{h} h;90 Minuten",
    "fr": "{n} minutes;une heure;{n} min;une demi-heure;deux heures;1h30;{h} h;{h} heures",
    "es": "{n} minutos;una hora;{n} min;media hora;dos horas;1,5 horas;{h} h;{h} horas",
    "it": "{n} minuti;un'ora;{n} min;mezz'ora;due ore;1,5 ore;{h} h;{h} ore",
    "nl": "{n} minuten;een uur;{n} min;een half uur;twee uur;anderhalf uur;{h} uur;{h} u",
}
_PLACES: dict[str, str] = {
    "en": "Room {n};Café {s};your office;Zoom;MS Teams;Building {l}, Room {n};Hotel {s};{a};the canteen",
    "de": "Raum {n};Café {s};Ihrem Büro;Zoom;MS Teams;Haus {l}, Raum {n};Hotel {s};{a};die Kantine",
    "fr": "Salle {n};Café {s};votre bureau;Zoom;MS Teams;Bâtiment {l}, salle {n};Hôtel {s};{a};la cantine",
    "es": "Sala {n};Café {s};su oficina;Zoom;MS Teams;Edificio {l}, sala {n};Hotel {s};{a};la cafetería",
    "it": "Sala {n};Caffè {s};vostro ufficio;Zoom;MS Teams;Edificio {l}, sala {n};Hotel {s};{a};la mensa",
    "nl": "Zaal {n};Café {s};uw kantoor;Zoom;MS Teams;Gebouw {l}, zaal {n};Hotel {s};{a};de kantine",
}
_AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "nl": "en"}


def _when(w: Writer) -> str:
    r = w.r
    hour, minute = r.randint(7, 19), r.choice((0, 0, 15, 30, 45))
    time = r.choice(
        (f"{hour}:{minute:02}", f"{hour:02}:{minute:02}", f"{hour}.{minute:02}", f"{hour}h{minute:02}", f"{hour}")
    )
    if w.language == "en" and r.random() < 0.4:
        time = f"{(hour - 1) % 12 + 1}{r.choice(('', f':{minute:02}'))} {'am' if hour < 12 else 'pm'}"
    if r.random() < 0.15:
        time = f"{time}{r.choice(('-', ' - ', '–'))}{hour + 1}:{minute:02}"
    part = w.any_of(_PART_OF_DAY).format(w=values.weekday(r, w.language))
    a = r.choice((w.date(), w.date(), values.weekday(r, w.language), part))
    return r.choice((a, w.any_of(_AT).format(a=a, t=time), w.any_of(_AT).format(a=a, t=time)))


def _who(w: Writer) -> str:
    people = [
        names.person(w.r) if w.r.random() < 0.6 else names.syllabic(w.r) for _ in range(w.r.choice((1, 1, 2, 2, 3)))
    ]
    if len(people) == 1:
        return people[0]
    joint = w.r.choice((", ", f" {_AND[w.language]} "))
    return ", ".join(people[:-1]) + joint + people[-1]


def _facts(w: Writer) -> Meeting:
    r = w.r
    place = w.any_of(_PLACES).format(
        n=r.randint(1, 599), s=names.syllabic(r), l=r.choice("ABCDEF"), a=names.street(r, w.language)
    )
    return Meeting(
        when=_when(w) if r.random() < 0.9 else None,
        duration=w.any_of(_SPANS).format(n=r.choice((10, 15, 20, 25, 30, 45, 60, 75, 90)), h=r.randint(1, 4))
        if r.random() < 0.55
        else None,
        where=place if r.random() < 0.6 else None,
        who=_who(w) if r.random() < 0.55 else None,
    )


def _sentences(w: Writer, about: Meeting) -> list[str]:
    found = [
        w.pick(table).format(**{key: value})
        for table, key, value in (
            (_WHEN, "w", about.when),
            (_LONG, "d", about.duration),
            (_WHERE, "p", about.where),
            (_WHO, "n", about.who),
        )
        if value is not None
    ]
    if w.r.random() < 0.3:
        w.r.shuffle(found)
    if w.r.random() < 0.25:
        found.insert(
            w.r.randint(0, len(found)),
            w.any_of(_NOT).format(w=w.date() if w.r.random() < 0.5 else values.weekday(w.r, w.language)),
        )
    return [each[0].upper() + each[1:] for each in found]


def _labels(w: Writer, about: Meeting) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for text, value in zip(_LABELS[w.language], (about.when, about.duration, about.where, about.who), strict=True):
        if value is not None:
            found.append((w.choose(options(text)), value))
    if w.r.random() < 0.3:
        w.r.shuffle(found)
    return found


def _purpose(w: Writer) -> list[str]:
    """A sentence that says what it is about: most requests have one."""
    if w.r.random() < 0.25:
        return []
    return [w.choose(options(words.SENTENCES[w.language]["meeting"])).format(t=w.any_of(words.TOPICS))]


def _prose(w: Writer, about: Meeting, fillers: int) -> list[str]:
    texts = [*_purpose(w), *_sentences(w, about)]
    for _ in range(fillers):
        texts.insert(w.r.randint(0, len(texts)), w.filler())
    return texts if w.r.random() < 0.3 else [" ".join(texts)]


def meeting(r: Random, family: str, *, held_labels: bool = False) -> tuple[str, str, Meeting]:
    """A request of this family: its language, its text, and what is to be read out of it."""
    w = writer(r, held_labels)
    about = _facts(w)
    text = "\n".join(_page(w, family, about)).strip("\n")
    return w.language, text or w.hello(), about


def _page(w: Writer, family: str, about: Meeting) -> list[str]:
    r = w.r
    separator = r.choice((": ", ": ", ":", " - ", " : ", "  "))
    listed = [f"{label}{separator}{value}" for label, value in _labels(w, about)]
    subject = w.any_of(words.TOPICS).capitalize()
    if family == "sentences":
        return _prose(w, about, 0)
    if family == "letter":
        return [w.hello(), "", *_prose(w, about, r.randint(0, 2)), "", *w.bye()]
    if family == "labels":
        return [subject, *listed]
    if family == "labels-letter":
        return [w.hello(), "", *_purpose(w), "", *listed, "", *w.bye(company=r.random() < 0.4)]
    if family == "headers":
        return [*w.headers(subject), "", w.hello(), *_prose(w, about, r.randint(0, 2)), "", *w.bye()]
    if family == "mixed":
        prose = Meeting(when=about.when, duration=None, where=None, who=about.who)
        rest = [
            f"{label}{separator}{value}"
            for label, value in _labels(w, Meeting(when=None, duration=about.duration, where=about.where, who=None))
        ]
        return [w.hello(), *_prose(w, prose, 1), *rest, *w.bye()]
    if family == "one-line":
        return [r.choice((", ", " | ", "; ")).join([subject, *listed])]
    if family == "thread":
        wrote = words.WROTE[w.language].format(d=w.date(), p=names.person(r))
        return [w.hello(), *_prose(w, about, 1), *w.bye(), "", wrote, f"> {w.filler()}", f"> {w.filler()}"]
    if family == "x-table":
        pairs = _labels(w, about)
        width = max((max(len(label), len(value)) for label, value in pairs), default=0) + 3
        return [
            subject,
            "".join(f"{k:<{width}}" for k, _ in pairs).rstrip(),
            "".join(f"{v:<{width}}" for _, v in pairs).rstrip(),
        ]
    return [*_purpose(w), "*" * 20, *(f"* {value} ({label})" for label, value in _labels(w, about)), "*" * 20, *w.bye()]
