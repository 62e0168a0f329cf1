"""A morning's mail of a small hotel, to try email triage on. tests/email_triage/make_demo.py made the one with a PDF.

In it are guests' questions, an invoice, wishes to meet, a newsletter, an advert and a fraud, in five languages.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from email import message_from_bytes, policy
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import msgspec

from skerry_workflows.demo import Coming, Part, Table, a_monday
from skerry_workflows.email.workflow import Filed, Unread

_EVERY = dt.timedelta(minutes=7)
_ANSWERS = {"09-verano.eml": "approve --set category=application"}
_WHY_MAX = 4
_HANDED = {"invoice.received": "its invoice was handed to invoices", "meeting.requested": "handed to scheduling"}


def settings() -> tuple[Path, ...]:
    """The files that say whose mail it is."""
    return tuple(sorted(Path(__file__).parent.glob("*.toml")))


def messages() -> tuple[Path, ...]:
    """The bundled messages, in the order in which they come."""
    return tuple(sorted(Path(__file__).parent.glob("*.eml")))


def part(folder: Path, now: dt.datetime) -> Part:
    """Write the settings into a data folder, and the messages, as if they had come in the last hour."""
    for path in settings():
        shutil.copyfile(path, folder / path.name)
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    found = messages()
    comings = tuple(
        _coming(path, inbox, now - _EVERY * (len(found) - number), now) for number, path in enumerate(found)
    )
    return Part("Mail", "MESSAGE", "email", comings, told, partial(drafts, folder))


def _coming(path: Path, inbox: Path, sent: dt.datetime, now: dt.datetime) -> Coming:
    tuesday, wednesday = (a_monday(now).date() + dt.timedelta(days=days) for days in (1, 2))
    data = re.sub(rb"(?m)^Date: .*$", b"Date: " + format_datetime(sent).encode(), path.read_bytes(), count=1)
    data = data.replace(b"@TUESDAY@", f"{tuesday.day} {tuesday:%B %Y}".encode())
    data = data.replace(b"@WEDNESDAY@", f"{wednesday.day}.{wednesday.month}.{wednesday.year}".encode())
    file = inbox / path.name
    file.write_bytes(data)
    head = message_from_bytes(data, policy=policy.default)
    sender = str(head["From"]).partition(" <")[0].strip('"')
    return Coming(f"{sender}: {head['Subject']}", "mail.received", file=file, answer=_ANSWERS.get(path.name, "approve"))


def told(result: str, value: bytes) -> str:
    """What became of a message."""
    if result != Filed.__name__:
        return f"cannot be opened: {msgspec.json.decode(value, type=Unread).reason}"
    filed = msgspec.json.decode(value, type=Filed)
    why = f": {'; '.join(filed.notes[:_WHY_MAX])}" if filed.notes else ""
    if filed.unwanted:
        return f"{'a fraud' if filed.phishing else 'unwanted'}{why}"
    said = [f"{filed.category}, for {filed.owner}" if filed.owner else filed.category or "nothing that asks for work"]
    if filed.priority == "high":
        said.append("first of all")
    if filed.by is not None:  # the end of the day that was named is the next one's first moment
        last = filed.by - dt.timedelta(seconds=1)
        said.append(f"by {last:%a} {last.day} {last:%B}")
    said += [_HANDED[event] for event in filed.handed_over if event in _HANDED]
    if filed.draft:
        said.append("an answer is drafted")
    return "; ".join(said) + (f" (careful{why})" if why else "")


def drafts(folder: Path) -> Table:
    """The answers that lie in the folder for drafts."""
    found = [
        (path, message_from_bytes(path.read_bytes(), policy=policy.default))
        for path in sorted((folder / "drafts").glob("*.eml"))
    ]
    return Table(
        "Drafts: nothing was sent",
        ("TO", "SUBJECT", "TEXT", "FILE"),
        tuple(
            (str(draft["To"]), str(draft["Subject"]), _beginning(str(draft.get_content())), f"drafts/{path.name}")
            for path, draft in found
        ),
    )


def _beginning(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= 80 else f"{first[:79]}…"
