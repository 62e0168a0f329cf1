"""What the tasks of scheduling share: the settings of the node they run on, its bookings, the owner's calendar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from skerry import Retry, TerminalError, task_context
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.model import Outgoing
from skerry_workflows.scheduling.settings import Settings, load

if TYPE_CHECKING:
    from skerry_workflows.scheduling.calendar.lines import Component
    from skerry_workflows.scheduling.itip.outgoing import Message
    from skerry_workflows.scheduling.stores.store import Store, Stored


PATIENT: Final = Retry(attempts=20, first_s=2.0, max_s=600.0)
"""How often what needs a server is tried: for two hours. A night's outage is for a person."""


def settings_here() -> tuple[Settings, Path]:
    """The settings, and the folder that relative paths are below. Raises `TerminalError`."""
    return load(task_context().settings)


def bookings_here() -> Bookings:
    """The bookings of this node."""
    _, folder = settings_here()
    data = task_context().settings.get("SKERRY_DATA")
    return Bookings((Path(data) if data else folder) / "bookings.db")


def own_store(settings: Settings, folder: Path) -> Store:
    """The owner's calendar. Raises `TerminalError` where none is set."""
    store = settings.calendar.open(folder)
    if store is None:
        raise TerminalError("the settings name no calendar of yours", hint='write [calendar] path = "calendar"')
    return store


def stored_event(settings: Settings, folder: Path, uid: str) -> Stored:
    """The event in it. Raises `TerminalError` where it is not there."""
    stored = own_store(settings, folder).get(uid)
    if stored is None:
        raise TerminalError(f"the meeting {uid[:80]} is not in the calendar", hint="somebody has removed it")
    return stored


def zone_of(settings: Settings) -> str:
    """The owner's zone by its IANA name."""
    from skerry_workflows.scheduling.calendar.zones import resolve

    return resolve(settings.zone) or "UTC"


def why_ask(settings: Settings, mails: tuple[Outgoing, ...]) -> str:
    """Why a person has to allow these mails; empty when nobody needs to."""
    recipients = tuple(one.recipient for one in mails)
    if not recipients or not settings.policy.asks(recipients):
        return ""
    return f"mails go to {', '.join(recipients)}"


def mail_of(message: Message, subject: str, text: str) -> Outgoing:
    """A message as a mail that is to be sent."""
    from skerry_workflows.scheduling.calendar.lines import written
    from skerry_workflows.scheduling.imip import key_of

    return Outgoing(
        key=key_of(message), method=message.method, uid=message.uid, sequence=message.sequence, sender=message.sender,
        sender_name=message.sender_name, recipient=message.recipient, recipient_name=message.recipient_name,
        subject=subject, text=text, ics=written(message.calendar).decode(),
    )  # fmt: skip


def message_of(mail: Outgoing) -> Message | None:
    """The message of such a mail; None for a mere question."""
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip.outgoing import Message, Method

    if not mail.ics:
        return None
    calendar: Component = read(mail.ics.encode()).calendar
    return Message(
        method=msgspec.convert(mail.method, Method), uid=mail.uid, sequence=mail.sequence, sender=mail.sender,
        sender_name=mail.sender_name, recipient=mail.recipient, recipient_name=mail.recipient_name, calendar=calendar,
    )  # fmt: skip
