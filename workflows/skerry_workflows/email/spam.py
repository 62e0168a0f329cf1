"""How likely a message is unwanted, or a fraud: signs with weights, added up. Uncertain is an answer of its own.

The weights are general judgements, written down by hand: what follows from the rules of mail (a forged answer, a
mailer that leaves out what every honest one writes), from wording (`spam_words`) and from links (`links`). They are
log-odds, so what a user's corrections teach (`learning`) is added to what comes out (`triage.judge`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from skerry_workflows.email import links, route
from skerry_workflows.email.model import Message
from skerry_workflows.email.spam_words import CLASSES, TOGETHER
from skerry_workflows.email.verdicts import Sign, Verdict, verdict_of

_PRIOR = -1.2
_TEXT_CHARS_MAX = 30_000
_FREE_MAIL = frozenset(
    (
        "aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com",
        "mail.com", "mail.ru", "msn.com", "outlook.com", "protonmail.com", "qq.com", "rediffmail.com",
        "t-online.de", "web.de", "yahoo.com", "yandex.ru", "163.com", "126.com", "lycos.com", "excite.com",
        "usa.net", "netscape.net", "earthlink.net",
    )
)  # fmt: skip
_ROLES = frozenset(
    ("info", "office", "sales", "support", "mail", "contact", "team", "hello", "invoice", "invoices", "order", "orders",
     "billing", "service", "jobs", "press", "shop", "news", "list", "admin", "rechnung", "buchhaltung", "kontakt")
)  # fmt: skip
_BRAND_WORDS = re.compile(r"(?i)\b(paypal|amazon|apple|microsoft|google|netflix|dhl|fedex|sparkasse|mastercard|ebay)\b")
_HISTORY = re.compile(
    r"(?im)^[ \t]*-{2,}[ \t]*(?:original (?:message|appointment)|forwarded (?:message|by)|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|message (?:d'origine|transféré)|mensaje (?:original|reenviado)|messaggio (?:originale"
    r"|inoltrato)|oorspronkelijk bericht|mensagem original)\b"
)
_PROGRAMS = (
    ".exe",
    ".scr",
    ".pif",
    ".bat",
    ".cmd",
    ".com",
    ".js",
    ".vbs",
    ".wsf",
    ".jar",
    ".lnk",
    ".hta",
    ".iso",
    ".img",
    ".one",
)
_WORK = re.compile(r"(?m)-----BEGIN PGP|^(?:diff |@@ |\+\+\+ )|Traceback \(most|#include\s*<")
_FOR_PEOPLE = re.compile(
    r"(?i)\b(?:mutt|pine|kmail|gnus|evolution|thunderbird|mozilla|sylpheed|exmh|eudora|apple mail|squirrelmail|vm \d"
    r"|claws|mew )"
)
_WORDS = re.compile(r"[^\W\d_]{3,}")
_THICK, _THIN, _HITS_MAX = 250, 0.2, 200
"""One mention in so many words counts in full; one in many more counts this much, and no less."""
_ALONE = 0.65
_QUOTE_LINE = re.compile(r"(?m)^\s{0,3}>")


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement: the probability that a message is unwanted, whether that is sure, and why."""

    probability: float
    verdict: Verdict
    phishing: bool
    signs: tuple[Sign, ...]


def score(message: Message) -> Score:
    """Judges a message, without anything that was taught."""
    signs = _weighed(message, [each for each in _signs(message) if each.weight])
    total = _PRIOR + sum(each.weight for each in signs)
    probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    names = {each.name for each in signs}
    lure = names & {"account", "brand", "shown", "homograph", "user", "ip", "authentication"}
    phishing = probability > 0.5 and len(lure) >= 2
    ordered = sorted(signs, key=lambda each: -abs(each.weight))
    return Score(
        probability=round(probability, 4), verdict=verdict_of(probability), phishing=phishing, signs=tuple(ordered)
    )


_TRADE = frozenset(CLASSES) - {"advance fee", "account", "outreach", "pills", "adult", "coin"} | {
    "click", "form", "fonts", "html alone", "dollars", "picture", "exclamations", "remove by mail", "hidden", "shouts",
    "leave here", "capitals", "random sender", "trades much", "brand", "foreign links",
}  # fmt: skip
"""Signs that a paper, a shop or a club shows, too, whose letters somebody has asked for."""
_REGULAR = 0.4


def _weighed(message: Message, signs: list[Sign]) -> tuple[Sign, ...]:
    """Signs together: who trades under their own name is less suspicious than who trades under none."""
    names = {each.name for each in signs}
    classes = {each.name for each in signs if each.name in CLASSES and each.weight > _ALONE * CLASSES[each.name][0]}
    if len(classes) >= 3:
        signs.append(Sign("trades much", 0.6, "it speaks of much that unwanted mail speaks of"))
    if classes and "free mail" in names:
        signs.append(Sign("trade from free mail", 0.8, "it trades, and has no domain of its own"))
    if not _regular(message, names):
        return tuple(signs)
    return tuple(
        Sign(each.name, round(each.weight * _REGULAR, 2), each.said) if each.name in _TRADE else each for each in signs
    )


def _regular(message: Message, names: set[str]) -> bool:
    """Whether it is a letter of a sender who can be found: from their domain, with links to it, and a way to leave."""
    vouched = bool(names & {"authenticated", "own server"})
    if names & {"authentication", "shown", "ip", "user", "homograph", "program", "free mail"}:
        return False
    if not vouched and ("forged mailer" in names or ("nameless host" in names and not _left_at(message))):
        return False
    sender = links.site_of(message.sender[0].domain) if message.sender else ""
    known = bool(names & {"own links", "house links", "list"}) or _left_at(message) == sender != ""
    leave = bool(message.header("List-Unsubscribe")) or "leave here" in names
    named = bool(sender) and links.site_of(message.message_id.rpartition("@")[2].lower()) == sender
    return (known and (leave or named or vouched)) or (vouched and leave)


def _left_at(message: Message) -> str:
    """The site at which the list can be left, as its header says (RFC 2369)."""
    hosts = re.findall(r"(?:https?://|mailto:[^@>]*@)([\w.-]+)", message.header("List-Unsubscribe"))
    return links.site_of(hosts[0].lower()) if hosts else ""


def _signs(message: Message) -> Iterator[Sign]:
    yield from _header_signs(message)
    yield from _sender_signs(message)
    yield from _subject_signs(message)
    yield from _conversation_signs(message)
    yield from _wording_signs(message)
    yield from _shape_signs(message)
    yield from _link_signs(message)


# --- the envelope -----------------------------------------------------------------------------------------------------


def _header_signs(message: Message) -> Iterator[Sign]:
    if _bare(message):
        return
    traced = route.traced(message)
    if not message.message_id:
        yield Sign("no id", 1.0 if traced else 0.4, "it has no Message-ID")
    elif "@" not in message.message_id or message.message_id.endswith(("@", "@localhost")):
        yield Sign("odd id", 0.8, "its Message-ID names no host")
    elif route.id_given_on_the_way(message):
        yield Sign("late id", 0.7, "its Message-ID was given by a server on the way: its own program gave none")
    if message.date is None:
        yield Sign("no date", 0.8 if traced else 0.3, "it has no date that can be read")
    elif route.hours_off(message) > 24:
        yield Sign("date", 1.4, "its date is days from when it was delivered")
    receivers = [each.address.lower() for each in (*message.to, *message.cc)]
    if traced and not receivers:
        yield Sign("no receiver", 0.9, "it names no receiver")
    elif receivers and not any("@" in each for each in receivers):
        yield Sign("hidden receivers", 0.7, "its receivers are hidden")
    if (len(receivers) >= 5 and receivers == sorted(receivers)) or len({each[:3] for each in receivers}) * 3 < len(
        receivers
    ):
        yield Sign("sorted receivers", 1.2, "its receivers are a piece of an alphabetical list")
    mailer = " ".join(message.header(name) for name in ("X-Mailer", "User-Agent", "X-Library"))
    if message.header("X-MSMail-Priority") and not message.header("X-MimeOLE"):
        yield Sign("forged mailer", 1.3, "it claims to be written with a program that writes other headers")
    if not mailer.strip() and message.header("X-Priority"):
        yield Sign("priority", 0.6, "it has a priority, and no program that set it")
    if re.search(r"(?i)bulk|mass|blast|emailer|group\s*mail|sender|indy|\d{6}", mailer):
        yield Sign("bulk mailer", 0.7, "it was sent with a program for mass mailing")
    if re.match(r"\s*[12]\b", message.header("X-Priority")) or message.header("Importance").lower() == "high":
        yield Sign("urgent", 0.6, "it says that it is urgent")
    yield from _route_signs(message)


def _bare(message: Message) -> bool:
    """Whether its header is lost, as in exports of texts: what is not there says nothing, then."""
    return not (message.sender or message.message_id or message.date or route.traced(message))


def _route_signs(message: Message) -> Iterator[Sign]:
    vouched = route.vouched(message, _list(message))
    if vouched == "fail":
        yield Sign("authentication", 1.8, "the sender's domain says that it did not send this")
    elif vouched == "pass":
        yield Sign("authenticated", -1.0, "the sender's domain vouches for it")
    elif route.own_server(message):
        yield Sign("own server", -1.0, "it came from a server of the sender's domain")
    if route.number_as_name(message):
        yield Sign("number as name", 0.4, "a server on the way gave a number as its name")
    if route.nameless(message):
        yield Sign("nameless host", 1.2, "a server on the way has no name")
    elif route.misnamed(message):
        yield Sign("misnamed host", 0.3, "a server on the way has another name than it gave")
    if route.private_line(message):
        yield Sign("dial-in", 0.3, "it came from a private line")


def _sender_signs(message: Message) -> Iterator[Sign]:
    if not message.sender or not message.sender[0].address:
        if not _bare(message):
            yield Sign("no sender", 1.6, "it names no sender")
        return
    sender = message.sender[0]
    local = re.sub(r"(?:19|20)\d\d$", "", sender.address.rpartition("@")[0])  # a year is no lot: many have theirs there
    if re.search(r"\d{4,}|\d[a-z]+\d[a-z]*\d", local.lower()) or re.fullmatch(r"(?=.*\d)[a-z0-9]{12,}", local.lower()):
        yield Sign("random sender", 0.9, "the sender's address looks drawn by lot")
    if "@" in sender.name and sender.address.lower() not in sender.name.lower():
        yield Sign("name is an address", 1.2, "the sender's name is another address")
    if (brand := _BRAND_WORDS.search(sender.name)) and brand[1].lower() not in sender.domain:
        yield Sign("brand", 1.4, f"it names itself {brand[1]} and is sent from {sender.domain}")
    if sender.domain in _FREE_MAIL and not message.header("In-Reply-To"):
        yield Sign("free mail", 0.2, "it comes from a free mail service")
    answers = {each.domain for each in message.reply_to if each.domain} - {sender.domain}
    if answers and links.site_of(sender.domain) not in {links.site_of(each) for each in answers} and not _list(message):
        yield Sign("other answers", 0.7, "answers go to another domain")
    own = {each.address.lower() for each in message.to}
    if sender.address.lower() in own and len(own) == 1 and not message.header("List-Unsubscribe"):
        yield Sign("to itself", 0.5, "it is addressed to its own sender")
    if re.search(r"[!$%]|\d{4,}", sender.name):
        yield Sign("loud sender", 0.6, "the sender's name shouts")


# --- what stands above and in it --------------------------------------------------------------------------------------


def _subject_signs(message: Message) -> Iterator[Sign]:
    subject = message.subject
    letters = [char for char in subject if char.isalpha()]
    if not subject.strip():
        yield Sign("no subject", 0.6 if route.traced(message) else 0.2, "it has no subject")
    if len(letters) > 8 and sum(char.isupper() for char in letters) / len(letters) > 0.7:
        yield Sign("capitals", 1.2, "the subject is in capitals")
    if re.search(r"!{2,}|\?{3,}|\${2,}|!\s*$|\$\d[\d,.]*", subject):
        yield Sign("exclaims", 0.8, "the subject exclaims")
    if re.search(r"\s{4,}\S*\w+\s*$|[\[({]?\b[a-z]*\d+[a-z]+\d*[a-z]*[\])}]?\s*$", subject) and not _list(message):
        yield Sign("tail", 1.0, "the subject ends with a mark that means nothing to the reader")
    if re.search(
        r"(?i)^\s*(?:adv|werbung)\s*[:.]|\b(?:f\W?r\W?e\W?e)\b|%\s*off|\b[a-z](?:[ .*_-][a-z]){4,}\b", subject
    ):
        yield Sign("advertises", 1.2, "the subject advertises")
    answers = re.match(r"(?i)\s*(?:re|aw)\s*:", subject) and not (message.references or message.in_reply_to)
    # Exports and archives lose what a message refers to.
    if answers and route.traced(message) and not _QUOTE_LINE.search(message.text):
        yield Sign("false answer", 0.7, "it says that it is an answer, and answers nothing")
    first_name = message.to[0].address.partition("@")[0].lower() if message.to else ""
    if len(first_name) > 2 and first_name not in _ROLES and re.search(rf"(?i)\b{re.escape(first_name)}\b", subject):
        yield Sign("addressed", 0.8, "the subject has a piece of the receiver's address")


def _list(message: Message) -> bool:
    return bool(message.header("List-Id") or message.header("List-Post") or message.header("X-BeenThere"))


def _conversation_signs(message: Message) -> Iterator[Sign]:
    """What people do who talk with each other, and programs rarely imitate."""
    if message.in_reply_to or message.references:
        yield Sign("answer", -2.6, "it answers another message")
    if len(_QUOTE_LINE.findall(message.text)) >= 2 or _HISTORY.search(message.text):
        yield Sign("quotes", -1.6, "it quotes what it answers")
    if re.search(r"(?im)^on .{5,80} wrote:\s*$|^.{2,60} (?:wrote|schrieb|writes):\s*$", message.text):
        yield Sign("who wrote", -0.8, "it says whom it quotes")
    if re.search(r"(?m)^-- $", message.text):
        yield Sign("signature", -0.8, "it has a signature as people's programs write it")
    if _list(message):
        yield Sign("list", -0.3 if message.html else -0.7, "it came over a mailing list")
    elif message.header("List-Unsubscribe"):
        yield Sign("can be left", -0.9, "it says, in its header, how to leave the list")
    if _FOR_PEOPLE.search(message.header("User-Agent") + message.header("X-Mailer")):
        yield Sign("a person's program", -1.2, "it was written with a mail program for people")
    if _WORK.search(message.text):
        yield Sign("work", -1.0, "it has code, a patch or a signature in it")


def _wording_signs(message: Message) -> Iterator[Sign]:
    """A class counts as it is thick in the text: a long letter says a bit of everything, an advertisement one thing."""
    text = f"{message.subject}\n{message.text[:_TEXT_CHARS_MAX]}"
    words = len(_WORDS.findall(text))
    for name, (weight, pattern) in CLASSES.items():
        found = list(islice(pattern.finditer(text), _HITS_MAX))
        if found:
            share = min(1.0, max(_THIN, len(found) * _THICK / max(1, words)))
            if len({each.lastindex for each in found}) < 2:  # anybody may say one such thing
                share *= _ALONE / 2 if name in TOGETHER else _ALONE
            yield Sign(name, round(weight * share, 2), f"its words: {' '.join(found[0][0].split())[:60]}")


def _shape_signs(message: Message) -> Iterator[Sign]:
    text = message.text[:_TEXT_CHARS_MAX]
    words = _WORDS.findall(text)
    if len(words) > 20 and sum(word.isupper() for word in words) / len(words) > 0.2:
        yield Sign("shouts", 1.2, "much of it is in capitals")
    if text.count("!") >= 3 and text.count("!") / max(1, len(words)) > 0.015:
        yield Sign("exclamations", 0.9, "it exclaims much")
    if re.search(r"\b(?:1[-. ])?\(?8(?:00|88|77|66|55)\)?[-. ]\d{3}[-. ]\d{4}\b", text):
        yield Sign("hotline", 0.5, "it wants to be called, free of charge")
    if re.search(r"(?m)^\W{0,3}[a-z0-9]*[b-df-hj-np-tv-xz]{6,}[a-z0-9]*\W{0,3}$", text):
        yield Sign("gibberish", 0.9, "it has words drawn by lot")
    if len(re.findall(r"\$\s?\d", text)) >= 3:
        yield Sign("dollars", 0.6, "it speaks of sums again and again")
    if message.html:
        yield from _html_signs(message, words)
    for attachment in message.attachments:
        name = attachment.name.lower()
        if name.endswith(_PROGRAMS):
            dressed = re.search(r"\.(?:pdf|docx?|xlsx?|jpe?g|png|txt|html?)\.\w+$", name)
            said = "a program is attached that looks like a document" if dressed else "a program is attached"
            yield Sign("program", 4.0 if dressed else 2.5, said)
            break


def _html_signs(message: Message, words: list[str]) -> Iterator[Sign]:
    html = message.html[:200_000]
    if message.header("Content-Type").lower().startswith("text/html"):
        yield Sign("html alone", 0.8, "it is a page, without plain text")
    if re.search(r"(?i)<font[^>]+(?:size\s*=\s*[\"']?\+?[4-7]|color)", html):
        yield Sign("fonts", 0.5, "its letters are large or coloured")
    if re.search(r"<(?:HTML|BODY|FONT|TABLE|CENTER|TD)\b", html):
        yield Sign("old page", 0.4, "its page is written as tools for mass mailing do")
    if re.search(r"(?i)<form\b|<input\b", html):
        yield Sign("form", 0.4, "it has a form to fill in")
    if re.search(r"(?i)<script\b|javascript:|onload\s*=|<iframe\b", html):
        yield Sign("script", 0.8, "it has a program in its page")
    if len(words) < 30 and re.search(r"(?i)<img\b", html):
        yield Sign("picture", 1.0, "it is a picture with hardly any text")
    if re.search(r"(?i)<!--[^>]{0,20}[a-z0-9]{6,}[^>]{0,20}-->\w", html):
        yield Sign("broken words", 1.0, "comments cut its words in pieces")
    if message.hidden_chars > 200:
        yield Sign("hidden", 0.6, "it has text that the reader does not see")


def _link_signs(message: Message) -> Iterator[Sign]:
    weights = {"shown": 1.0, "ip": 1.8, "user": 2.0, "homograph": 2.5, "script": 1.2, "punycode": 0.5, "short": 0.4}
    seen: set[str] = set()
    for deceit in links.deceits(message.links):
        if deceit.kind in weights and deceit.kind not in seen:
            seen.add(deceit.kind)
            yield Sign(deceit.kind, weights[deceit.kind], deceit.said)
    hosts = {links.host_of(each.target) for each in message.links} - {""}
    sites = {links.site_of(host) for host in hosts}
    sender = links.site_of(message.sender[0].domain) if message.sender else ""
    if hosts and sender in sites:
        yield Sign("own links", -0.8, "it links to its sender's own pages")
    elif sites & route.senders(message):
        yield Sign("house links", -0.4, "it links to pages of the house whose server sent it")
    elif hosts and message.html and not _list(message):
        yield Sign("foreign links", 0.6, "it links to pages of others than its sender")
    leaves = any(re.search(r"(?i)remove|unsub|opt-?out", each.target) for each in message.links)
    if leaves and not message.header("List-Unsubscribe"):
        yield Sign("leave here", 0.7, "it has a link to leave a list, and is sent as if it were not one")
    if any(re.search(r"\d{3,}|[a-z]\d[a-z]\d|-.*-.*-", site.partition(".")[0]) for site in sites):
        yield Sign("odd host", 0.5, "it links to a host whose name looks drawn by lot")
    if any(
        each.target.lower().startswith("mailto:") and re.search(r"(?i)remove|unsub|subject=", each.target)
        for each in message.links
    ):
        yield Sign("remove by mail", 0.2, "it wants a mail to be left alone")
