"""What became of answers and runs since the engine started, counted from its journal when somebody asks.

The engine knows nothing of this: events are read after the fact, from the file, as telemetry does it. So counting costs
nothing until it is looked at, and what is counted is what was recorded.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skerry.core import events as ev
from skerry.core.budget import spent_by
from skerry.core.projection import LIVE, STOPPED
from skerry.health.metrics import Kind, Metrics
from skerry.journal.follow import Feed, Followed

KINDS: dict[str, Kind] = {
    "slm_verification_total": Kind(
        "counter", "Answers judged: passed, or objected to, once for each rule that objects."
    ),
    "slm_escalations_total": Kind("counter", "Answers that did not hold, by who was asked next, and the first rule."),
    "slm_sizes_passed_total": Kind("counter", "Sizes of an ask that were not asked."),
    "slm_answer_cost_total": Kind("counter", "Money that answers cost, as far as their workers say."),
    "slm_answer_energy_joules_total": Kind("counter", "Energy that answers took, as far as their workers say."),
    "skerry_reviews_opened_total": Kind("counter", "Questions to a person."),
    "skerry_reviews_answered_total": Kind("counter", "Questions that a person answered."),
    "skerry_answers_audited_total": Kind("counter", "Accepted answers that a person has looked at again."),
    "skerry_runs_started_total": Kind("counter", "Runs that were started."),
    "skerry_runs_ended_total": Kind("counter", "Runs that were completed, cancelled, failed or parked."),
    "skerry_runs": Kind("gauge", "Runs that have not ended."),
    "skerry_runs_in_memory": Kind("gauge", "Runs that are in memory."),
    "skerry_queue_tasks": Kind("gauge", "Tasks on the bus, and in the journal where they wait for room on it."),
    "skerry_journal_events_total": Kind("counter", "Events in the journal."),
    "skerry_journal_commits_total": Kind("counter", "Commits of the journal in this process."),
    "skerry_journal_commit_seconds_total": Kind("counter", "Time that they took."),
    "skerry_metrics_behind_events": Kind("gauge", "Events that are not counted yet: there were too many to read."),
}

_EVENTS = 500
"""Read at a time."""
_RUNS_MAX = 10_000
"""So many runs are kept in mind; of another one its first event is read again."""
_SERIES_MAX = 500
"""Beyond so many, rules are counted together: their names come from code, but that may make them up."""
_ENDS: dict[type[ev.Event], str] = {
    ev.RunCompleted: "done",
    ev.RunCancelled: "cancelled",
    ev.RunFailed: "failed",
    ev.RunParked: "parked",
}


class Tally:
    """Counts into `metrics`. Its methods block: one call at a time, in whichever thread."""

    def __init__(self, data: Path, seq: int, metrics: Metrics) -> None:
        """Counts what comes after the event `seq` of the journal in the folder `data`."""
        self._data = data
        self._seq = seq
        self._metrics = metrics
        self._workflows: OrderedDict[int, str] = OrderedDict()
        self._rules: set[tuple[str, ...]] = set()
        self._counters: dict[type[Any], Callable[[str, Any], None]] = {
            ev.RunStarted: self._started,
            ev.AnswerJudged: self._judged,
            ev.SizePassed: self._passed,
            ev.ReviewOpened: self._asked,
            ev.ReviewAnswered: self._decided,
            ev.AnswerAudited: self._audited,
            **dict.fromkeys(_ENDS, self._ended),
        }

    def catch_up(self, within_s: float) -> None:
        """Counts what is new, for so long at most; what is left comes next time. Raises `SkerryError`."""
        until = time.monotonic() + within_s
        with Feed(self._data) as feed:
            while found := feed.after(self._seq, _EVENTS):
                for each in found:
                    self._take(feed, each)
                self._seq = found[-1].seq
                if time.monotonic() > until:
                    break
            live, end = feed.live(), feed.end()
        for status in sorted(LIVE | STOPPED):
            self._metrics.set("skerry_runs", live.get(status, 0), status=status)
        self._metrics.set("skerry_metrics_behind_events", end - self._seq)

    def _take(self, feed: Feed, found: Followed) -> None:
        counter = self._counters.get(type(found.event))
        if counter is not None:
            counter(self._workflow(feed, found), found.event)

    def _workflow(self, feed: Feed, found: Followed) -> str:
        """Of the run of an event: its first one says it."""
        name = self._workflows.get(found.run_key)
        if name is None:
            began = found.event if found.n == 1 else next((event for _, event in feed.before(found.run_key, 2)), None)
            name = began.workflow if isinstance(began, ev.RunStarted) else ""
            self._workflows[found.run_key] = name
            if len(self._workflows) > _RUNS_MAX:
                self._workflows.popitem(last=False)
        return name

    def _started(self, workflow: str, event: ev.RunStarted) -> None:
        self._metrics.count("skerry_runs_started_total", workflow=workflow)

    def _ended(self, workflow: str, event: ev.Event) -> None:
        self._metrics.count("skerry_runs_ended_total", workflow=workflow, status=_ENDS[type(event)])

    def _judged(self, workflow: str, event: ev.AnswerJudged) -> None:
        metrics, whose = self._metrics, {"workflow": workflow, "size": event.size}
        rules = list(dict.fromkeys(self._named(workflow, event.size, each.rule) for each in event.objections))
        for rule in rules:
            metrics.count("slm_verification_total", 1, **whose, check=rule, result="objected")
        if not rules:
            metrics.count("slm_verification_total", 1, **whose, check="all", result="passed")
        if event.choice in ("escalate", "review"):
            way = {"from": event.size, "to": event.next or "person", "reason": rules[0] if rules else ""}
            metrics.count("slm_escalations_total", 1, workflow=workflow, **way)
        spent = spent_by(event.model)
        if spent.money:
            currency = str(event.model.get("currency", ""))
            metrics.count("slm_answer_cost_total", spent.money, **whose, currency=currency)
        if spent.energy_j:
            metrics.count("slm_answer_energy_joules_total", spent.energy_j, **whose)

    def _named(self, *rule: str) -> str:
        if rule not in self._rules:
            if len(self._rules) >= _SERIES_MAX:
                return "other"
            self._rules.add(rule)
        return rule[-1]

    def _passed(self, workflow: str, event: ev.SizePassed) -> None:
        self._metrics.count("slm_sizes_passed_total", workflow=workflow, size=event.size, reason=event.why)

    def _asked(self, workflow: str, event: ev.ReviewOpened) -> None:
        self._metrics.count("skerry_reviews_opened_total", workflow=workflow)

    def _decided(self, workflow: str, event: ev.ReviewAnswered) -> None:
        approved = str(event.approved).lower()
        self._metrics.count("skerry_reviews_answered_total", workflow=workflow, approved=approved)

    def _audited(self, workflow: str, event: ev.AnswerAudited) -> None:
        right = str(not event.changed).lower()
        self._metrics.count("skerry_answers_audited_total", workflow=workflow, right=right)
