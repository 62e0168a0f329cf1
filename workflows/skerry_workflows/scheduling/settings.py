"""The settings of scheduling: who you are, whose calendars are read, and what may be done without asking.

They are one small file, scheduling.toml in the data folder, which anybody can read; see docs/guides/scheduling.md.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from skerry.errors import TerminalError
from skerry_workflows.mailer import Sending
from skerry_workflows.scheduling.calendar.lines import address_of
from skerry_workflows.scheduling.slots.model import Hours
from skerry_workflows.scheduling.stores.store import Store

FILE: Final = "scheduling.toml"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HINT: Final = "mend scheduling.toml, see docs/guides/scheduling.md, and retry the run"


class NotSetUp(TerminalError):
    """Nobody has said yet whose calendar it is."""


Ask: TypeAlias = Literal["always", "outside", "never"]
"""When a person is asked before something is sent: always, where it goes to somebody outside of `inside`, or never."""


class CalendarAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a calendar is: `path` of an .ics file or a folder of them, or `url` of a CalDAV calendar or of its server,
    whose password is in the environment variable that `password_env` names. `name` is needed where the server has more
    than one for the user."""

    path: str = ""
    url: str = ""
    user: str = ""
    password_env: str = ""
    name: str = ""

    def open(self, folder: Path) -> Store | None:
        """The calendar; None where nothing is set. Relative paths are below `folder`."""
        if self.url:
            from skerry_workflows.scheduling.stores.caldav import CaldavStore

            password = os.environ.get(self.password_env, "") if self.password_env else ""
            if self.password_env and not password:
                raise TerminalError(f"the environment has no {self.password_env}", hint="set it where skerry up runs")
            return CaldavStore(self.url, self.user, password, self.name)
        if self.path:
            from skerry_workflows.scheduling.stores.files import IcsStore

            return IcsStore(folder / Path(self.path).expanduser())
        return None


class PersonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody whom you meet. Without a calendar nothing is known of their time but your own bookings with them."""

    name: str = ""
    zone: str = ""
    hours: dict[str, list[str]] | None = None
    calendar: CalendarAt = CalendarAt()
    buffer_minutes: int = 0
    travel_minutes: int = 0


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be done without asking.

    `send`: see `Ask`. `inside` are the domains of your own house. `choose`: a person picks the slot ("ask"), or the
    best one is taken where everything is known for sure ("best"). `accept`: invitations are answered by a person
    ("ask"), or accepted where you are free and the organizer is inside ("free"). `ask_back`: questions about a request
    go to a person here ("person") or by mail to who wrote it ("mail").
    """

    send: Ask = "always"
    inside: tuple[str, ...] = ()
    choose: Literal["ask", "best"] = "ask"
    accept: Literal["ask", "free"] = "ask"
    ask_back: Literal["person", "mail"] = "person"
    hold_hours: float = 48
    follow_up_hours: float = 48
    remind_minutes: tuple[int, ...] = (15,)

    def asks(self, recipients: tuple[str, ...]) -> bool:
        """Whether a person has to be asked before something goes to these."""
        if self.send == "outside":
            return any(one.rpartition("@")[2].lower() not in {d.lower() for d in self.inside} for one in recipients)
        return self.send == "always"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. `owner` is your address; `zone` your zone (IANA or Windows name); `hours` are "mon".."sun" to lists of
    "09:00-17:00" (Monday to Friday, 9 to 17, unless given)."""

    owner: str
    name: str = ""
    zone: str = "UTC"
    hours: dict[str, list[str]] | None = None
    calendar: CalendarAt = CalendarAt(path="calendar")
    buffer_minutes: int = 0
    travel_minutes: int = 0
    people: dict[str, PersonSettings] = {}
    policy: Policy = Policy()
    mail: Sending = Sending()

    def person(self, address: str) -> PersonSettings:
        """What is set for an address; for your own what stands at the top."""
        if address_of(address) == address_of(self.owner):
            return PersonSettings(
                name=self.name, zone=self.zone, hours=self.hours or {}, calendar=self.calendar,
                buffer_minutes=self.buffer_minutes, travel_minutes=self.travel_minutes,
            )  # fmt: skip
        return next(
            (one for key, one in self.people.items() if address_of(key) == address_of(address)), PersonSettings()
        )


def load(settings: Mapping[str, str]) -> tuple[Settings, Path]:
    """The settings of the node that a task runs on, and the folder that relative paths are below.

    Raises:
        NotSetUp: the file is not there.
        TerminalError: it says something that is not understood.
    """
    data = Path(settings.get("SKERRY_DATA", "."))
    path = Path(settings.get("SKERRY_SCHEDULING_FILE") or data / FILE)
    try:
        decoded = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        raise NotSetUp(f"there is no {path}, which says whose calendar it is", hint=_HINT) from None
    except OSError as error:
        raise TerminalError(f"{path} cannot be read ({error.strerror})", hint=_HINT) from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TerminalError(f"{path}: {error}", hint=_HINT) from None
    if "@" not in decoded.owner:
        raise TerminalError(f"{path}: owner {decoded.owner!r} is no mail address", hint=_HINT)
    for address in (decoded.owner, *decoded.people):
        hours_of(decoded.person(address), decoded.zone)
    return decoded, path.parent


def hours_of(person: PersonSettings, zone: str) -> Hours | None:
    """A person's working hours; None for somebody of whom none are set. Raises `TerminalError`."""
    from skerry_workflows.scheduling.calendar.zones import resolve

    name = resolve(person.zone or zone)
    if name is None:
        raise TerminalError(f"the zone {person.zone or zone!r} is not known", hint=_HINT)
    if person.hours is None:
        return None
    if not person.hours:
        return Hours(zone=name)
    if unknown := set(person.hours) - set(_DAYS):
        raise TerminalError(f"{sorted(unknown)[0]!r} is no day", hint=f"days are {', '.join(_DAYS)}")
    return Hours(zone=name, days=tuple(tuple(map(_range, person.hours.get(day, []))) for day in _DAYS))


def _range(text: str) -> tuple[dt.time, dt.time]:
    found = re.fullmatch(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*", text)
    try:
        if found:
            start, end = dt.time(int(found[1]), int(found[2])), dt.time(int(found[3]) % 24, int(found[4]))
            return start, end
    except ValueError:
        pass
    raise TerminalError(f"{text!r} are no hours", hint='write them like "09:00-17:00"')
