"""The scheduling workflows: a request for a meeting becomes an appointment, and what others send becomes an answer.

Nothing leaves the house, and nobody's calendar changes, before the policy's approval. What is not sure is asked.
`scheduling` takes requests and messages, `scheduling-change` moves and cancels, `scheduling-keep` has the timers, and
`scheduling-watch` looks at what somebody changes in a watched calendar by hand.
"""

from __future__ import annotations

import datetime as dt

from skerry import Blob, Decision, Done, Limits, Prompt, State, Step, StepFailed, Workflow
from skerry.errors import Refused, TimedOut
from skerry_workflows.scheduling import words
from skerry_workflows.scheduling.bookings import Booking, Taken
from skerry_workflows.scheduling.model import (
    Answer,
    Answered,
    Booked,
    CalledOff,
    Effects,
    Invitee,
    Letter,
    MeetingRequest,
    Moved,
    NotBooked,
    Noted,
    Pick,
    Reminder,
    Suggest,
)
from skerry_workflows.scheduling.replies import answer, consider, decline_proposal, take
from skerry_workflows.scheduling.settings import NotSetUp
from skerry_workflows.scheduling.slots.model import Found, Proposal, Span
from skerry_workflows.scheduling.tasks import (
    Known,
    change,
    choices,
    find_slots,
    follow_up,
    hold,
    introduce,
    invite,
    look_up,
    notice,
    open_mail,
    perform,
    plan,
    question,
    read_letter,
    release,
    still_free,
)
from skerry_workflows.scheduling.understand import VERIFIERS, understand
from skerry_workflows.scheduling.watch import CALENDAR as CALENDAR

REVIEW = dt.timedelta(days=30)
"""How long a person may take for an answer."""
WHOLE_SERIES = (
    "a series is not moved as a whole: name the one meeting that is to move (`occurrence`), or cancel it and ask for "
    "a new one"
)
FOLLOW_UP_REVIEW = dt.timedelta(days=1)
"""The same for a follow-up, which is not worth asking about for longer."""
TRIES_MAX = 5
"""How often another slot is looked for where somebody else was faster."""

UNDERSTAND = Prompt(
    name="scheduling.understand",
    text="Which meeting does this message ask for: with whom, how long, when, and when not?",
    question="Which meeting is wanted?",
    rules=understand,
    limits=Limits(memory_mb=512, cpu_s=20, wall_s=30),
)


async def _asked(step: Step, question: str, timeout: dt.timedelta = REVIEW) -> str:
    """A person's yes (""), or why not."""
    try:
        decision = await step.wait(Decision, timeout=timeout, question=question)
    except TimedOut:
        return f"nobody decided within {timeout.days} days"
    return "" if decision.approved else decision.reason or f"{decision.by or 'a person'} said no"


async def _allowed(step: Step, effects: Effects, what: str, timeout: dt.timedelta = REVIEW) -> str:
    """Whether this may be done: "" or why not."""
    return await _asked(step, f"{what} ({effects.ask}.)", timeout) if effects.ask else ""


# --- a request --------------------------------------------------------------------------------------------------------


class Requested(State):
    """Something has come: a mail, a text, or a request that says all there is to say."""

    mail: Blob | None = None
    text: str = ""
    subject: str = ""
    sender: str = ""
    request: MeetingRequest | None = None

    async def run(self, step: Step) -> Requested | Understand | Consider | Done[NotBooked]:
        """Opens it. Where nobody has set scheduling up yet, it is kept until they have."""
        letter = Letter(text=self.text, subject=self.subject, sender=self.sender.lower(), request=self.request)
        if self.mail is not None:
            try:
                letter = await step.call(open_mail, self.mail)
            except StepFailed as error:
                return Done(NotBooked(reason=f"the mail could not be opened: {error}"))
        try:
            letter = await step.call(introduce, letter, step.now())
        except StepFailed as error:
            if error.kind != NotSetUp.__name__:
                raise
            if no := await _asked(step, f"A meeting is asked for, but {error}. Write it, then say yes."):
                return Done(NotBooked(reason=no))
            return self
        return Consider(letter=letter) if letter.ics else Understand(letter=letter)


class Understand(State):
    """What is wanted? Code reads it, and what it is not sure of is asked."""

    letter: Letter
    asked: int = 0

    async def run(self, step: Step) -> Search | AskBack | Done[NotBooked]:
        """By mail, where the policy says so and there is somebody to ask; else a person here."""
        policy = await step.call(choices)
        if policy.ask_back == "mail" and self.letter.sender and self.letter.request is None and self.asked < 2:
            return AskBack(letter=self.letter, asked=self.asked)
        try:
            request = await step.ask(
                MeetingRequest, UNDERSTAND, about=self.letter, verify=VERIFIERS, sizes=("rules",), review=REVIEW
            )
        except (Refused, TimedOut) as error:
            return Done(NotBooked(reason=str(error)))
        return Search(request=request)


class AskBack(State):
    """Whoever wrote is asked what is missing; what they answer (a signal `Answer`) is read together with the rest."""

    letter: Letter
    asked: int

    async def run(self, step: Step) -> Understand | Search | Done[NotBooked]:
        """Reads it; if something is open, writes to them, and waits."""
        try:
            request = await step.call(read_letter, self.letter)
        except StepFailed as error:
            return Done(NotBooked(reason=f"the request could not be read: {error}"))
        open_questions = [one.message for verify in VERIFIERS for one in verify(request, self.letter)]
        if not open_questions:
            return Search(request=request)
        effects = await step.call(question, self.letter, request)
        if no := await _allowed(step, effects, f"Ask {self.letter.sender}: {' '.join(open_questions)}"):
            return Done(NotBooked(reason=no))
        await step.call(perform, effects, 0, step.now())
        try:
            more = await step.wait(Answer, timeout=REVIEW)
        except TimedOut:
            return Done(NotBooked(reason=f"{self.letter.sender} did not answer within {REVIEW.days} days"))
        letter = Letter(
            text=f"{self.letter.text}\n{more.text}",
            subject=self.letter.subject,
            sender=self.letter.sender,
            sender_name=self.letter.sender_name,
            now=step.now(),
            zone=self.letter.zone,
            owner=self.letter.owner,
            people=self.letter.people,
        )
        return Understand(letter=letter, asked=self.asked + 1)


class Search(State):
    """Looks for a time. `tried` are those that somebody else was faster with."""

    request: MeetingRequest
    tried: tuple[Span, ...] = ()

    async def run(self, step: Step) -> Choose | Search | Done[NotBooked]:
        """Where there is none, a person may free one and have it looked for again."""
        found = await step.call(find_slots, self.request, self.tried, step.now())
        if found.proposals:
            return Choose(request=self.request, found=found, tried=self.tried)
        why = "; ".join([*found.obstacles, *found.doubts])
        try:
            decision = await step.wait(
                Decision, timeout=REVIEW, question=f"No time for {self.request.summary!r}: {why}. Look again?"
            )
        except TimedOut:
            return Done(NotBooked(reason=why))
        if not decision.approved:
            return Done(NotBooked(reason=decision.reason or why))
        return Search(request=self.request)


class Choose(State):
    """Which of the times? A person picks, or the best is taken where the policy says so and nothing is in doubt."""

    request: MeetingRequest
    found: Found
    tried: tuple[Span, ...] = ()

    async def run(self, step: Step) -> Hold | Choose | Done[NotBooked]:
        """Yes takes the first; a signal `Pick` another one."""
        proposals = self.found.proposals
        policy = await step.call(choices)
        if policy.choose == "best" and not self.found.doubts and not proposals[0].clashes:
            return Hold(request=self.request, proposal=proposals[0], tried=self.tried)
        asked = words.which(self.request, proposals, self.found.doubts)
        try:
            said = await step.wait(Decision, Pick, timeout=REVIEW, question=asked)
        except TimedOut:
            return Done(NotBooked(reason=f"nobody chose within {REVIEW.days} days"))
        if isinstance(said, Pick):
            if not 1 <= said.number <= len(proposals):
                return Choose(request=self.request, found=self.found, tried=self.tried)
            return Hold(request=self.request, proposal=proposals[said.number - 1], tried=self.tried)
        if not said.approved:
            return Done(NotBooked(reason=said.reason or f"{said.by or 'a person'} said no"))
        return Hold(request=self.request, proposal=proposals[0], tried=self.tried)


class Hold(State):
    """Takes the time for everybody, so that nobody else gets it while the rest is decided."""

    request: MeetingRequest
    proposal: Proposal
    tried: tuple[Span, ...] = ()

    async def run(self, step: Step) -> Invite | Search | Done[NotBooked]:
        """Somebody else may have been faster: then another time is looked for."""
        policy = await step.call(choices)
        slot = Span(start=self.proposal.start, end=self.proposal.end)
        people = tuple(one.address for one in self.request.attendees if one.address not in self.proposal.missing)
        uid, times = f"{step.uuid()}@skerry", self.proposal.times or (slot,)
        if not await step.call(still_free, times, self._needed(), self.request.place, uid, step.now()):
            held = await step.call(
                hold, uid, 0, self.request.summary, people, slot, step.now(), policy.hold_hours, self.proposal.times
            )
            if isinstance(held, Booking):
                return Invite(request=self.request, booking=held, proposal=self.proposal)
        if len(self.tried) >= TRIES_MAX:
            return Done(NotBooked(reason=f"others were faster {TRIES_MAX} times"))
        return Search(request=self.request, tried=(*self.tried, slot))

    def _needed(self) -> tuple[Invitee, ...]:
        return tuple(one for one in self.request.attendees if one.address not in self.proposal.missing)


class Invite(State):
    """The time is held: invite, with the approval that the policy asks for."""

    request: MeetingRequest
    booking: Booking
    proposal: Proposal | None = None

    async def run(self, step: Step) -> Search | Done[Booked] | Done[NotBooked]:
        """Books, writes the calendar, sends, and sets the timers. Where the hold has ended, another time is sought."""
        held = self.booking
        skipped = self.proposal.skipped if self.proposal else ()
        times = (self.proposal.times if self.proposal else ()) or (Span(start=held.starts, end=held.ends),)
        effects = await step.call(invite, self.request, held, step.now(), skipped)
        time = words.when_all(times, self.request.zone)
        if no := await _allowed(step, effects, f"Send the invitations to {self.request.summary!r}, {time}?"):
            await step.call(release, held.uid, held.id)
            return Done(NotBooked(reason=no))
        if await step.call(perform, effects, held.id, step.now()):
            return Search(request=self.request)
        await step.start(keep, Keep(uid=held.uid, sequence=held.sequence), detached=True)
        return Done(
            Booked(
                uid=held.uid,
                start=held.starts,
                end=held.ends,
                summary=self.request.summary,
                invited=tuple(mail.recipient for mail in effects.mails),
                meetings=len(times),
            )
        )


# --- what others send -------------------------------------------------------------------------------------------------


class Consider(State):
    """A message of somebody's calendar: an invitation, an answer, a cancellation, a proposal."""

    letter: Letter

    async def run(self, step: Step) -> Done[Answered] | Done[Noted] | Done[NotBooked] | Done[Moved] | Done[CalledOff]:
        """What is an answer to us is taken note of; what asks something of us is answered by policy."""
        seen = await step.call(consider, self.letter, step.now())
        if seen.kind == "nothing":
            return Done(Noted(uid=seen.uid, change="ignored", why=seen.why))
        if seen.kind == "invitation":
            return await self._answer(step, seen.question, ask=bool(seen.ask))
        if seen.kind == "proposal":
            return await self._decide(step, seen.uid, seen.question, seen.ask, seen.start, seen.end)
        if seen.ask and (no := await _asked(step, seen.question)):
            return Done(Noted(uid=seen.uid, change="ignored", why=no))
        return Done(await step.call(take, self.letter))

    async def _answer(self, step: Step, asked: str, *, ask: bool) -> Done[Answered] | Done[Noted] | Done[NotBooked]:
        said, suggestion = "ACCEPTED", None
        if ask:
            try:
                decision = await step.wait(Decision, Suggest, timeout=REVIEW, question=asked)
            except TimedOut:
                return Done(NotBooked(reason=f"nobody decided within {REVIEW.days} days, and nothing was answered"))
            if isinstance(decision, Suggest):
                said, suggestion = "COUNTER", decision
            elif not decision.approved:
                said = "DECLINED"
        effects = await step.call(answer, self.letter, said, suggestion, step.now())
        if effects.stale:
            return Done(Noted(uid=effects.uid, change="ignored", why=effects.stale))
        await step.call(perform, effects, 0, step.now())
        return Done(Answered(uid=effects.uid, answer=said))

    async def _decide(
        self, step: Step, uid: str, asked: str, doubt: str, start: dt.datetime | None, end: dt.datetime | None
    ) -> Done[Noted] | Done[Moved] | Done[CalledOff] | Done[NotBooked]:
        no = await _asked(step, f"{asked} {doubt}".strip())
        if no or start is None or end is None:
            effects = await step.call(decline_proposal, self.letter, step.now())
            await step.call(perform, effects, 0, step.now())
            return Done(Noted(uid=uid, change="declined", why=no or "its time cannot be read"))
        # That was the approval: the change asks for no second one.
        result = await step.start(changes, Change(uid=uid, start=start, end=end, approved=True))
        return Done(result)


# --- moving and cancelling --------------------------------------------------------------------------------------------


class Change(State):
    """A meeting of ours is to be at another time, or (without one) not to be. `occurrence` is the time of the one that
    is meant of a series."""

    uid: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    reason: str = ""
    approved: bool = False
    occurrence: dt.datetime | None = None

    async def run(self, step: Step) -> Done[Moved] | Done[CalledOff] | Done[NotBooked]:
        """Holds the new time before the old one is given back; then tells everybody."""
        known = await step.call(look_up, self.uid, step.now())
        if not known.found or known.cancelled:
            return Done(NotBooked(reason="there is no such meeting of ours"))
        if self.occurrence is not None:
            return await self._of_series(step, known, self.occurrence)
        if self.start is None:
            return await self._cancel(step, known.summary)
        if known.series:
            return Done(NotBooked(reason=WHOLE_SERIES))
        length = known.end - known.start if known.start and known.end else dt.timedelta(hours=1)
        slot = Span(start=self.start, end=self.end or self.start + length)
        policy = await step.call(choices)
        held = await step.call(
            hold, self.uid, known.sequence + 1, known.summary, known.attendees, slot, step.now(), policy.hold_hours
        )
        if isinstance(held, Taken):
            return Done(NotBooked(reason=f"{held.person} is in another meeting then"))
        effects = await step.call(change, self.uid, slot, self.reason, step.now())
        if no := await self._may_move(step, known, slot, effects):
            await step.call(release, self.uid, held.id)
            return Done(NotBooked(reason=no))
        if lost := await step.call(perform, effects, held.id, step.now()):
            return Done(NotBooked(reason=lost))
        await step.start(keep, Keep(uid=self.uid, sequence=effects.sequence), detached=True)
        return Done(Moved(uid=self.uid, start=slot.start, end=slot.end))

    async def _may_move(self, step: Step, known: Known, slot: Span, effects: Effects) -> str:
        """Whether it may be moved there: "" or why not. Where somebody has something else then, it is always asked."""
        people = tuple(Invitee(address=one) for one in known.attendees)
        others = await step.call(still_free, (slot,), people, known.place, self.uid, step.now())
        asked = f"Move {known.summary!r} to {words.when(slot.start, slot.end, known.zone)}?"
        if others and not self.approved:
            return await _asked(step, f"{asked} But {'; '.join(others)}.")
        return "" if self.approved else await _allowed(step, effects, asked)

    async def _of_series(
        self, step: Step, known: Known, at: dt.datetime
    ) -> Done[Moved] | Done[CalledOff] | Done[NotBooked]:
        """One meeting of a series: the others keep their times."""
        meant = next((one for one in known.times if one.start == at), None)
        if meant is None:
            return Done(NotBooked(reason=f"there is no meeting of that series on {words.moment(at, known.zone)}"))
        others = tuple(one for one in known.times if one is not meant)
        slot = None
        if self.start is not None:
            slot = Span(start=self.start, end=self.end or self.start + (meant.end - meant.start))
        elif not others:
            return await self._cancel(step, known.summary)
        times = (*others, slot) if slot else others
        policy = await step.call(choices)
        held = await step.call(
            hold, self.uid, known.sequence + 1, known.summary, known.attendees, times[0], step.now(),
            policy.hold_hours, times,
        )  # fmt: skip
        if isinstance(held, Taken):
            return Done(NotBooked(reason=f"{held.person} is in another meeting then"))
        effects = await step.call(change, self.uid, slot, self.reason, step.now(), at)
        if slot:
            no = await self._may_move(step, known, slot, effects)
        else:
            what = f"Cancel {known.summary!r} on {words.moment(at, known.zone)}?"
            no = "" if self.approved else await _allowed(step, effects, what)
        if no:
            await step.call(release, self.uid, held.id)
            return Done(NotBooked(reason=no))
        if lost := await step.call(perform, effects, held.id, step.now()):
            return Done(NotBooked(reason=lost))
        await step.start(keep, Keep(uid=self.uid, sequence=effects.sequence, followed=slot is None), detached=True)
        if slot:
            return Done(Moved(uid=self.uid, start=slot.start, end=slot.end))
        return Done(CalledOff(uid=self.uid, occurrence=at))

    async def _cancel(self, step: Step, summary: str) -> Done[CalledOff] | Done[NotBooked]:
        effects = await step.call(change, self.uid, None, self.reason, step.now())
        if not self.approved and (no := await _allowed(step, effects, f"Cancel {summary!r}?")):
            return Done(NotBooked(reason=no))
        await step.call(perform, effects, 0, step.now())
        return Done(CalledOff(uid=self.uid))


class Touched(State):
    """Something in the watched calendar has changed. Meetings of ours are compared with what their people know."""

    uid: str

    async def run(self, step: Step) -> Done[Moved] | Done[CalledOff] | Done[Noted] | Done[NotBooked]:
        """Tells them what was changed by hand: the new time, or that it is off."""
        seen = await step.call(notice, self.uid, step.now())
        effects = seen.effects
        if effects is None:
            return Done(Noted(uid=self.uid, change="ignored", why="nobody has to be told"))
        if no := await _allowed(
            step,
            effects,
            f"{seen.summary!r} was changed in the calendar ({seen.when or 'it is gone'}). Tell everybody?",
        ):
            return Done(NotBooked(reason=no))
        booking = 0
        if seen.slot is not None and effects.ics:
            policy = await step.call(choices)
            people = tuple(mail.recipient for mail in effects.mails)
            held = await step.call(
                hold, self.uid, effects.sequence, seen.summary, people, seen.slot, step.now(), policy.hold_hours,
                seen.times,
            )  # fmt: skip
            if isinstance(held, Taken):
                return Done(NotBooked(reason=f"{held.person} is in another meeting then; move it once more"))
            booking = held.id
        if lost := await step.call(perform, effects, booking, step.now()):
            return Done(NotBooked(reason=lost))
        if seen.slot is None:
            return Done(CalledOff(uid=self.uid))
        await step.start(keep, Keep(uid=self.uid, sequence=effects.sequence), detached=True)
        return Done(Moved(uid=self.uid, start=seen.slot.start, end=seen.slot.end))


# --- afterwards -------------------------------------------------------------------------------------------------------


class Keep(State):
    """A meeting that stands, in one revision of it: it is followed up, and its owner reminded, until it is over.

    Whoever moves or cancels it makes another revision; this one then ends at its next timer. `followed`: who has not
    answered was asked again, or need not be.
    """

    uid: str
    sequence: int
    followed: bool = False

    async def run(self, step: Step) -> Remind | Done[Noted]:
        """Plans the timers; the first is for those who have not answered."""
        known = await step.call(look_up, self.uid, step.now())
        if known.start is None or known.end is None or known.sequence != self.sequence or known.cancelled:
            return Done(Noted(uid=self.uid, change="ignored", why="there is a later revision"))
        timers = await step.call(plan, known.start, known.end, step.now())
        if timers.follow_up > step.now() and not self.followed:
            await step.until(timers.follow_up)
            known = await step.call(look_up, self.uid, step.now())
            if known.sequence == self.sequence and known.unanswered and not known.cancelled:
                effects = await step.call(follow_up, self.uid, self.sequence, step.now())
                what = f"Remind {', '.join(known.unanswered)} of the invitation?"
                if not await _allowed(step, effects, what, FOLLOW_UP_REVIEW):
                    await step.call(perform, effects, 0, step.now())
        return Remind(uid=self.uid, sequence=self.sequence, due=timers.reminders, over=timers.over)


class Remind(State):
    """The next reminder: an event `meeting.reminder`, which whoever wants to shows."""

    uid: str
    sequence: int
    due: tuple[dt.datetime, ...]
    over: dt.datetime

    async def run(self, step: Step) -> Remind | Keep | Done[Noted]:
        """Waits for it, looks whether the meeting still stands, and tells. After one of a series comes the next."""
        at = self.due[0] if self.due else self.over
        await step.until(at)
        known = await step.call(look_up, self.uid, step.now())
        if known.sequence != self.sequence or known.cancelled or known.start is None:
            return Done(Noted(uid=self.uid, change="ignored", why="there is a later revision"))
        if not self.due:
            if known.times:
                return Keep(uid=self.uid, sequence=self.sequence, followed=True)
            return Done(Noted(uid=self.uid, change="over", why="it has taken place"))
        if step.now() >= self.over:
            # Nobody is reminded of what is over: the machine was off then.
            return Remind(uid=self.uid, sequence=self.sequence, due=(), over=self.over)
        told = Reminder(uid=self.uid, summary=known.summary, start=known.start, unanswered=known.unanswered)
        await step.emit("meeting.reminder", told)
        return Remind(uid=self.uid, sequence=self.sequence, due=self.due[1:], over=self.over)


scheduling = Workflow(
    "scheduling",
    version=1,
    start=Requested,
    on="meeting.requested",
    result=Booked | Answered | Noted | Moved | CalledOff | NotBooked,
)
changes = Workflow(
    "scheduling-change", version=1, start=Change, on="meeting.change", result=Moved | CalledOff | NotBooked
)
touched = Workflow(
    "scheduling-watch",
    version=1,
    start=Touched,
    on="calendar.changed",
    result=Moved | CalledOff | Noted | NotBooked,
)
keep = Workflow("scheduling-keep", version=1, start=Keep, result=Noted)
