"""What the servers on a message's way have written down. Facts only; what they weigh is said in `spam`.

Received (RFC 5321, 4.4) and Authentication-Results (RFC 8601). All but the topmost of these headers may be forged.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import Literal, TypeAlias

from skerry_workflows.email import dates, links
from skerry_workflows.email.model import Message

Vouched: TypeAlias = Literal["pass", "fail", ""]

_FROM = re.compile(r"\s*from\s+(.{0,400}?)(?:\sby\s|$)", re.IGNORECASE | re.DOTALL)
_LOOKED_UP = re.compile(r"\(\s*(?:[\w.+-]+@)?([\w-]+(?:\.[\w-]+)+)\.?\s*\[")
_SENDMAIL = re.compile(r"\s*\S+\s+\(\d+\.\d+\.\w+/\d")
_NO_NAME = re.compile(r"[^\s()]+\s*\(\[[\d.]+\]\)")
_QMAIL = re.compile(r"^([\w-]+(?:\.[\w-]+)+)\s+\((?:HELO\s+\S+\)\s+\()?\d{1,3}(?:\.\d{1,3}){3}\)")
"""qmail writes the name that it looked up, HELO only where that is another one, and the address in plain brackets."""
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NUMBER_AS_NAME = re.compile(r"\s*\[?\d{1,3}(?:\.\d{1,3}){3}\]?\s|.*helo[= ]\[?\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE)
_PRIVATE_LINE = re.compile(
    r"(?:dsl|dial-?up|dialin|\bppp|pool|dyn(?:amic)?|cable|dhcp|client|cpe)[\w.-]*\d|\d+[-.]\d+[-.]\d+[-.]\d+\.[a-z]",
    re.IGNORECASE,
)
_MACHINES = re.compile(
    r"(?:.*[._+-])?(?:no|do[._-]?not|donot|never)[._-]?reply(?:[._+-].*)?|mailer-daemon|postmaster|bounces?(?:[._+-].*)?",
    re.IGNORECASE,
)
_HOUSES = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
"""RFC 1918, and the machine itself."""
_RESULT = re.compile(r"\b(spf|dkim|dmarc|arc)\s*=\s*([a-z]+)((?:(?!\b(?:spf|dkim|dmarc|arc)\s*=)[^;]){0,400})", re.I)
_SIGNER = re.compile(r"header\.(?:d|i)\s*=\s*(?:[^\s;@]*@)?([\w.-]+)", re.IGNORECASE)
_ENVELOPE = re.compile(r"smtp\.mailfrom\s*=\s*(?:[^\s;@]*@)?([\w.-]+)", re.IGNORECASE)


def traced(message: Message) -> bool:
    """Whether a server has written anything down: what is from an archive or an export has lost that, and more."""
    return bool(message.header("Received"))


def hops(message: Message) -> list[str]:
    """Whom the servers say that they had it from, the last first. Hops within a house are left out.

    Sendmail, which puts its version behind its name, writes no name where others write "unknown": here all do.
    """
    found: list[str] = []
    for received in message.all_headers("Received"):
        hop = _FROM.match(received)
        if hop and not _inside(hop[1]):
            bare = _SENDMAIL.match(received, hop.end()) and _NO_NAME.match(hop[1])
            found.append(f"{hop[1]} unknown" if bare else hop[1])
    return found


def _inside(hop: str) -> bool:
    """Whether a hop has an address, and only such as every house may use for itself."""
    addresses = _ADDRESS.findall(hop)
    try:
        return bool(addresses) and all(any(ipaddress.ip_address(each) in net for net in _HOUSES) for each in addresses)
    except ValueError:
        return False


def automatic(message: Message) -> bool:
    """Whether a program has sent it, so that no program may answer (RFC 3834, 2), or it is for many."""
    submitted = message.header("Auto-Submitted").partition(";")[0].strip().lower()
    local = message.sender[0].address.rpartition("@")[0] if message.sender else ""
    return bool(
        submitted not in ("", "no")
        or message.header("Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or message.header("Return-Path").strip() == "<>"
        or re.search(r"(?i)\b(?:all|autoreply)\b", message.header("X-Auto-Response-Suppress"))
        or message.header("List-Unsubscribe")
        or message.header("List-Id")
        or _MACHINES.fullmatch(local)
    )


def senders(message: Message) -> set[str]:
    """The sites of those who handed the message on, where the server that had it from them looked up who they are."""
    found = (host for hop in hops(message) for pattern in (_LOOKED_UP, _QMAIL) for host in pattern.findall(hop))
    return {links.site_of(host.lower()) for host in found}


def own_server(message: Message) -> bool:
    """Whether a server of the sender's own domain has sent it."""
    return bool(message.sender) and links.site_of(message.sender[0].domain) in senders(message) - {""}


def number_as_name(message: Message) -> bool:
    """Whether one from outside gave a number as its name (RFC 5321, 4.1.4: it should be a name)."""
    return any(_NUMBER_AS_NAME.match(f"{hop} ") for hop in hops(message))


def nameless(message: Message) -> bool:
    """Whether one from outside has a number that leads to no name."""
    return any(re.search(r"(?i)\b(?:unknown|unverified)\b", hop) for hop in hops(message))


def misnamed(message: Message) -> bool:
    """Whether one from outside has a name that does not lead back to it: often mere neglect."""
    return any("may be forged" in hop for hop in hops(message))


def private_line(message: Message) -> bool:
    """Whether it came from a private line."""
    return any(_PRIVATE_LINE.search(hop) for hop in hops(message))


def id_given_on_the_way(message: Message) -> bool:
    """Whether a server made the Message-ID: it has that server's own number for the message in it."""
    for received in message.all_headers("Received"):
        by = re.search(r"\bby\s+([\w.-]+).*?\bid\s+<?([\w-]{6,})", received, re.DOTALL)
        if by and by[2] in message.message_id and message.message_id.rpartition("@")[2].lower() == by[1].lower():
            return not message.sender or links.site_of(by[1].lower()) != links.site_of(message.sender[0].domain)
    return False


def hours_off(message: Message) -> float:
    """How far its date is from the nearest time that a server wrote down; 0 where that cannot be known."""
    stamps = [dates.parse(each.rpartition(";")[2]) for each in message.all_headers("Received") if ";" in each]
    if message.date is None:
        return 0.0
    gaps = [abs((stamp - message.date) / dt.timedelta(hours=1)) for stamp in stamps if stamp is not None]
    return min(gaps, default=0.0)


def vouched(message: Message, passed_on: bool) -> Vouched:
    """Whether the sender's domain vouches for the message, as the last server found; "" where nobody has looked.

    DMARC's rule (RFC 7489, 3.1): SPF or DKIM, of the domain that From shows. `passed_on`: a list or a forwarder changes
    the server and often the text, so that a failure means nothing, and neither does one of which ARC (RFC 8617) says
    that it was right before.
    """
    sender = links.site_of(message.sender[0].domain) if message.sender else ""
    found = _results(message)
    passes = {name: rest for name, result, rest in found if result == "pass"}
    if not sender or "dmarc" in passes:
        return "pass" if sender else ""
    for name, pattern in (("dkim", _SIGNER), ("spf", _ENVELOPE)):
        said = next((each[1].lower() for each in pattern.finditer(passes.get(name, ""))), "")
        if said and links.site_of(said) == sender:
            return "pass"
    failed = {name for name, result, _ in found if result in ("fail", "hardfail", "permerror")}
    if passed_on or "arc" in passes or not failed & {"dmarc", "spf", "dkim"}:
        return ""
    # Without DMARC's word, one that failed means little where the other holds for whoever handed it over.
    return "fail" if "dmarc" in failed or not passes else ""


def _results(message: Message) -> list[tuple[str, str, str]]:
    """(method, result, what it was about), of the last server that looked: what stands below may be forged."""
    headers = message.all_headers("Authentication-Results")
    server = headers[0].split(";")[0].split()[:1] if headers else []
    mine = [each for each in headers if each.split(";")[0].split()[:1] == server]
    found = [(each[1].lower(), each[2].lower(), each[3]) for said in mine for each in _RESULT.finditer(said)]
    spf = message.header("Received-SPF").split()[:1]
    if spf and not any(name == "spf" for name, _, _ in found):
        found.append(("spf", spf[0].lower(), message.header("Received-SPF")))
    return found
