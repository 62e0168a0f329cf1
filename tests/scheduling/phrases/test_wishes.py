"""Mail text into the meeting it asks for, on Wednesday, 25 November 2026."""

from __future__ import annotations

import time

import pytest

from skerry_workflows.scheduling.phrases import MeetingWish, Window, deadline, wish
from skerry_workflows.scheduling.phrases.quoted import new_text
from tests.scheduling.phrases.reading import NOW, ZONE


def asked(text: str) -> MeetingWish:
    found = wish(text, NOW, ZONE)
    assert found is not None
    return found


def spans(windows: tuple[Window, ...]) -> list[str]:
    return [
        " ".join(each.strftime("%d.%m. %H:%M") if each else "..." for each in (window.start, window.end))
        for window in windows
    ]


def test_a_week_without_a_day() -> None:
    found = asked("Can we meet some time next week, not Friday, an hour, with Ana?")
    assert spans(found.windows) == ["30.11. 00:00 07.12. 00:00"]
    assert spans(found.excluded) == ["04.12. 00:00 05.12. 00:00"]
    assert found.duration is not None and found.duration.total_seconds == 3600
    assert found.people == ("Ana",)
    assert found.flexible and found.sure and not found.exact


def test_an_exact_time() -> None:
    found = asked("Let's have a call tomorrow from 2 to 2:45 pm with Carla Díaz and bo@example.org on Zoom.")
    assert spans(found.windows) == ["26.11. 14:00 26.11. 14:45"]
    assert found.exact and found.sure
    assert found.duration is not None and found.duration.total_seconds == 2700
    assert found.people == ("Carla Díaz", "bo@example.org")
    assert found.place == "Zoom"


def test_who_is_written_to_politely_is_nobody_by_name() -> None:
    found = asked("Wir möchten mit Ihnen sprechen: können wir uns am 9.12.2026 um 10 Uhr für eine Stunde treffen?")
    assert found.people == ()


def test_room_inside_a_stretch_is_not_the_meeting() -> None:
    found = asked("Could you schedule 30 minutes between 2 and 5 pm on December 3 in room 4?")
    assert spans(found.windows) == ["03.12. 14:00 03.12. 17:00"]
    assert not found.exact
    assert found.duration is not None and found.duration.total_seconds == 1800
    assert found.place == "room 4"


def test_a_series_has_its_rule_its_end_and_its_first_meeting() -> None:
    found = asked("Could we meet every Tuesday at 10 for six weeks, 30 minutes each, not on 15 December?")
    assert spans(found.windows) == ["01.12. 10:00 01.12. 11:00"]
    assert spans(found.excluded) == ["15.12. 00:00 16.12. 00:00"]
    assert found.series is not None
    assert (found.series.rule, found.series.ends) == ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20270112T085959Z", True)
    assert found.exact and found.sure
    assert found.duration is not None and found.duration.total_seconds == 1800


@pytest.mark.parametrize(
    ("text", "rule", "first"),
    [
        ("A weekly call on Mondays at 9am until the end of January?", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20270131T225959Z",
         "30.11. 09:00 30.11. 10:00"),
        ("A fortnightly call on Mondays at 9am, 6 times, starting on 7 December?",
         "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=6", "07.12. 09:00 07.12. 10:00"),
        ("Daily stand-up at 9:15 for 15 minutes from Monday for two weeks?", "FREQ=DAILY;UNTIL=20261213T225959Z",
         "30.11. 09:15 30.11. 09:16"),
        ("A weekly sync, the first on Thursday afternoon, an hour, for the next three months?",
         "FREQ=WEEKLY;UNTIL=20270225T225959Z", "26.11. 12:00 26.11. 18:00"),
        ("A meeting every Friday, at 3pm, 4 times?", "FREQ=WEEKLY;BYDAY=FR;COUNT=4", "27.11. 15:00 27.11. 16:00"),
    ],
)  # fmt: skip
def test_series(text: str, rule: str, first: str) -> None:
    found = asked(text)
    assert found.series is not None
    assert (found.series.rule, spans(found.windows)) == (rule, [first])


def test_what_somebody_cannot_is_excluded() -> None:
    found = asked("I can't do Thursday. Could we meet next week, mornings only, for an hour?")
    assert [each[:12] for each in spans(found.windows)] == [
        f"{day}. 08:00" for day in ("30.11", "01.12", "02.12", "03.12", "04.12")
    ]
    assert "03.12. 00:00 04.12. 00:00" in spans(found.excluded)


def test_a_proposal_needs_no_word_for_meeting() -> None:
    found = asked("How about Thursday, 10:00-10:30?")
    assert spans(found.windows) == ["26.11. 10:00 26.11. 10:30"]
    assert wish("Please send the report by Friday.", NOW, ZONE) is None


def test_half_a_day_is_no_number_of_hours() -> None:
    found = asked("We need a half-day workshop on 3 December 2026.")
    assert found.questions == ("How long should it take?",)


def test_any_day_is_no_series() -> None:
    found = asked("Could we meet any day next week for an hour?")
    assert spans(found.windows) == ["30.11. 00:00 07.12. 00:00"]
    assert found.sure and found.recurring is None
    assert not asked("Could we meet any Tuesday in December for an hour?").sure


def test_a_series_without_an_end_is_asked_about() -> None:
    found = asked("Can we meet every Tuesday at 10 for half an hour?")
    assert found.questions == ('Should "every Tuesday at 10" be a series, and until when?',)
    assert not found.sure


def test_a_time_is_that_of_all_days_before_it() -> None:
    found = asked("Could we meet Thursday, Friday or Saturday at 3pm for an hour?")
    assert [each[:12] for each in spans(found.windows)] == ["26.11. 15:00", "27.11. 15:00", "28.11. 15:00"]
    assert found.exact
    found = asked("Could we meet at 3pm on Thursday or Friday for an hour?")
    assert [each[:12] for each in spans(found.windows)] == ["26.11. 15:00", "27.11. 15:00"]
    found = asked("Are you free Thursday or Friday next week at 10 am?")
    assert [each[:12] for each in spans(found.windows)] == ["03.12. 10:00", "04.12. 10:00"]


def test_alternatives_are_windows_in_order() -> None:
    found = asked("Are you free on Tuesday at 3pm, or Thursday morning?")
    assert spans(found.windows) == ["01.12. 15:00 01.12. 16:00", "26.11. 08:00 26.11. 12:00"]


def test_the_afternoons_of_a_week() -> None:
    found = asked("Could we have a call next week in the afternoon, except Monday or Tuesday?")
    assert len(found.windows) == 5
    assert spans(found.windows)[0] == "30.11. 12:00 30.11. 18:00"
    assert spans(found.excluded) == ["30.11. 00:00 01.12. 00:00", "01.12. 00:00 02.12. 00:00"]


def test_a_time_is_put_on_the_day_of_the_subject() -> None:
    found = asked("Friday meetup\n\nWe'll meet at 2 pm and discuss until 3 pm.")
    assert spans(found.windows) == ["27.11. 14:00 27.11. 15:00"]
    assert found.exact


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Let's meet next Friday.", "Friday 2026-12-04 or Friday 2026-11-27"),
        ("Let's meet on 03/04/2027.", "Thursday 2027-03-04 or Saturday 2027-04-03"),
        ("Can we meet tomorrow at 5?", "Thursday 2026-11-26 17:00 or Thursday 2026-11-26 05:00"),
        ("Could we have a meeting?", "When would suit you?"),
        ("Could we meet tomorrow for a few hours?", "How long should it take?"),
        ("Could we meet every Monday at 9?", "be a series"),
        ("Können wir uns nächsten Freitag treffen?", "Freitag 2026-12-04 oder Freitag 2026-11-27"),
    ],
)
def test_what_is_unclear_is_asked(text: str, question: str) -> None:
    found = asked(text)
    assert not found.sure
    assert any(question in each for each in found.questions), found.questions


def test_a_meeting_that_moves() -> None:
    found = asked("Can we move our meeting from Thursday to Friday at 10am?")
    assert found.moves
    assert spans(found.windows) == ["27.11. 10:00 27.11. 11:00"]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Können wir uns morgen um 14 Uhr treffen, mit Jens Müller?", "26.11. 14:00 26.11. 15:00"),
        ("Pouvons-nous avoir une réunion demain à 14h, avec Marie Dupont ?", "26.11. 14:00 26.11. 15:00"),
        ("¿Podemos tener una reunión mañana a las 14 horas con Ana López?", "26.11. 14:00 26.11. 15:00"),
        ("Possiamo fissare una riunione domani alle 14 con Anna Rossi?", "26.11. 14:00 26.11. 15:00"),
    ],
)
def test_other_languages(text: str, window: str) -> None:
    found = asked(text)
    assert spans(found.windows) == [window]
    assert len(found.people) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thanks for the meeting yesterday.",
        "The invoice is due on December 15.",
        "It rained on Monday.",
        "Fine.\n\nOn Mon, 23 Nov 2026 at 10:00, Tom wrote:\n> can we meet tomorrow at 9?",
    ],
)
def test_no_wish(text: str) -> None:
    assert wish(text, NOW, ZONE) is None


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Please reply by Friday.", "2026-11-28 00:00"),
        ("Please send it by Friday noon.", "2026-11-27 12:00"),
        ("I need it before Friday", "2026-11-27 00:00"),
        ("The report is due December 1.", "2026-12-02 00:00"),
        ("Could you answer within two days?", "2026-11-28 00:00"),
        ("by the end of the month", "2026-12-01 00:00"),
        ("Bitte bis spätestens Freitag, 12 Uhr antworten.", "2026-11-27 12:00"),
        ("Merci de répondre avant vendredi.", "2026-11-27 00:00"),
        ("We met on Monday.", None),
        ("It was due last week.", None),
    ],
)
def test_deadlines(text: str, due: str | None) -> None:
    found = deadline(text, NOW, ZONE)
    assert (found and found.due.strftime("%Y-%m-%d %H:%M")) == due


def test_new_text_ends_where_history_begins() -> None:
    mail = "Yes.\n> old\nNo.\n-- \nAna\n"
    assert new_text(mail) == "Yes.\n\nNo."
    assert new_text("New\n-----Original Message-----\nOld") == "New"
    assert new_text("Neu\nAm 3.5.2026 um 10:00 schrieb Tom:\n> Alt") == "Neu"
    assert new_text("New\nFrom: Tom <tom@example.org>\nOld") == "New"


def test_a_long_message_is_read_in_part_and_says_so() -> None:
    found = asked("Can we meet on 3 December 2026 at 10:00 for an hour? " + "There is much to tell of the plan. " * 300)
    assert spans(found.windows) == ["03.12. 10:00 03.12. 10:01"]
    assert found.questions == (
        "The message is long, and only its beginning was read: is there another time in the rest?",
    )


@pytest.mark.parametrize("words", ["next month, not Friday at 3, ", "1 2 3 ", "every Monday and ", "from 3 to "])
def test_hostile_words_cost_no_more_than_seconds(words: str) -> None:
    before = time.process_time()
    wish("meet " + words * 5_000, NOW, ZONE, "en")
    assert time.process_time() - before < 10
