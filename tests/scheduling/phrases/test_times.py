"""Times in words, in English: what they mean on a Wednesday, 25 November 2026, half past eleven in Berlin."""

from __future__ import annotations

import pytest

from skerry_workflows.scheduling.phrases import times
from tests.scheduling.phrases.reading import NOW, ZONE, told

POINTS = {
    "today": "2026-11-25 2026-11-26",
    "the day after tomorrow": "2026-11-27 2026-11-28",
    "Friday": "2026-11-27 2026-11-28",
    "on Monday": "2026-11-30 2026-12-01",
    "this Friday": "2026-11-27 2026-11-28",
    "next week": "2026-11-30 2026-12-07",
    "the week after next": "2026-12-07 2026-12-14",
    "Monday next week": "2026-11-30 2026-12-01",
    "Tuesday of next week": "2026-12-01 2026-12-02",
    "December 3": "2026-12-03 2026-12-04",
    "the 3rd of December": "2026-12-03 2026-12-04",
    "3 Dec 2027": "2027-12-03 2027-12-04",
    "Dec. 3rd, 2027": "2027-12-03 2027-12-04",
    "2027-02-01": "2027-02-01 2027-02-02",
    "31/01/2027": "2027-01-31 2027-02-01",
    "in March": "2027-03-01 2027-04-01",
    "March 2028": "2028-03-01 2028-04-01",
    "in three days": "2026-11-28 2026-11-29",
    "two weeks ago": "2026-11-11 2026-11-12",
    "a week from tomorrow": "2026-12-03 2026-12-04",
    "the first Monday of December": "2026-12-07 2026-12-08",
    "the last Friday in January 2027": "2027-01-29 2027-01-30",
    "Christmas Eve": "2026-12-24 2026-12-25",
    "Easter Monday 2027": "2027-03-29 2027-03-30",
    "tomorrow at 9am": "2026-11-26 09:00 2026-11-26 10:00",
    "tomorrow at 14:30": "2026-11-26 14:30 2026-11-26 14:31",
    "half past three tomorrow": "2026-11-26 15:30 2026-11-26 15:31",
    "quarter to four on Friday": "2026-11-27 15:45 2026-11-27 15:46",
    "Friday at noon": "2026-11-27 12:00 2026-11-27 13:00",
    "9 in the morning on Monday": "2026-11-30 09:00 2026-11-30 10:00",
    "in two hours": "2026-11-25 13:30 2026-11-25 13:31",
    "2027-01-05T16:00Z": "2027-01-05 17:00 2027-01-05 17:01",
    "Friday 4pm UTC": "2026-11-27 17:00 2026-11-27 18:00",
    "Q1 2027": "2027-01-01 2027-04-01",
}

INTERVALS = {
    "tomorrow from 2 to 3 pm": "2026-11-26 14:00 2026-11-26 15:00",
    "Monday 9-11": "2026-11-30 09:00 2026-11-30 11:00",
    "Monday 9:30-11:00": "2026-11-30 09:30 2026-11-30 11:00",
    "between 10am and noon on Friday": "2026-11-27 10:00 2026-11-27 12:00",
    "from Monday to Wednesday": "2026-11-30 2026-12-03",
    "December 7 - 11": "2026-12-07 2026-12-12",
    "7 to 11 December 2027": "2027-12-07 2027-12-12",
    "from December to February": "2026-12-01 2027-03-01",
    "this afternoon from 2 to 4": "2026-11-25 14:00 2026-11-25 16:00",
    "tomorrow afternoon between 2 and 4": "2026-11-26 14:00 2026-11-26 16:00",
    "Friday from 10:00 to 11:30 CET": "2026-11-27 10:00 2026-11-27 11:30",
    "Friday 10 to 11 am PST": "2026-11-27 19:00 2026-11-27 20:00",
    "Thursday afternoon": "2026-11-26 12:00 2026-11-26 18:00",
    "tomorrow morning": "2026-11-26 08:00 2026-11-26 12:00",
    "this weekend": "2026-11-28 2026-11-30",
    "the next two days": "2026-11-26 2026-11-28",
    "the end of December": "2026-12-21 2027-01-01",
    "Friday after 3pm": "2026-11-27 15:00 ...",
    "by Friday": "... 2026-11-28",
    "before Friday": "... 2026-11-27",
    "since Monday": "2026-11-30 ...",
}

UNSURE = {
    "next Friday": "2026-12-04 2026-12-05?",
    "on Wednesday": "2026-12-02 2026-12-03?",
    "03/04/2027": "2027-03-04 2027-03-05?",
    "tomorrow at 5": "2026-11-26 17:00 2026-11-26 18:00?",
    "Tuesday, December 3": "2026-12-03 2026-12-04?",
    "next weekend": "2026-12-05 2026-12-07?",
    "next Friday at 6": "2026-12-04 18:00 2026-12-04 19:00??",
    "in a few days": "2026-11-28 2026-11-29?",
    "November 20": "2027-11-20 2027-11-21?",
}

LENGTHS = {
    "an hour": "60 min",
    "half an hour": "30 min",
    "1.5 hours": "90 min",
    "an hour and a half": "90 min",
    "two and a half hours": "150 min",
    "45 minutes": "45 min",
    "1 hour and 15 minutes": "75 min",
    "about two hours": "120 min?",
    "every Monday": "recurring",
    "every day": "recurring",
    "each Tuesday at 9am": "recurring",
}

SILENT = [
    "Good morning, have a great week!",
    "I may call you, and we will march on.",
    "Room 12 on floor 4, ticket 2031, call +49 30 1234567",
    "It costs 5 dollars, or $12.50, or 30%.",
    "see https://example.org/2026/12/03/10:30 or write to may.3@example.org",
    "version 1.2.3 of 10.0.0.1, ratio 3/4, score 2:1",
    "the second one is the one",
    "The sun sat on the fall",
    "Earn $400 a day or $18 an hour, calls 3p",
    "This may come down to Red Hat 7.3.",
    "Copyright 1999 pudge, 2000 people",
]


@pytest.mark.parametrize(
    "table", [POINTS, INTERVALS, UNSURE, LENGTHS], ids=["points", "intervals", "unsure", "lengths"]
)
def test_words_mean(table: dict[str, str]) -> None:
    """Alone, and in the middle of a sentence."""
    assert {text: told(text) for text in table} == {text: [meant] for text, meant in table.items()}
    inside = {text: told(f"Could we say {text}, please?") for text in table}
    assert inside == {text: [meant] for text, meant in table.items()}


@pytest.mark.parametrize("text", SILENT)
def test_silence(text: str) -> None:
    assert told(text) == []


def test_a_doubt_comes_with_the_other_meaning() -> None:
    (reading,) = times("next Friday at 5", NOW, ZONE, "en")
    starts = {each.span.start.strftime("%d %H") for each in reading.alternatives if each.span.start}
    assert not reading.sure
    assert starts == {"04 05", "27 17", "27 05"}
    assert all(each.reason for each in reading.alternatives)


def test_a_reading_has_its_place() -> None:
    text = "Hello Ana,\ncould we meet on\nThursday at 3pm instead?"
    (reading,) = times(text, NOW, ZONE, "en")
    assert text[reading.begin : reading.stop] == reading.words == "on\nThursday at 3pm"


def test_nothing_is_read_across_paragraphs() -> None:
    assert told("I am here on Monday\n\n3pm is too late") == [
        "2026-11-30 2026-12-01",
        "2026-11-25 15:00 2026-11-25 16:00",
    ]


def test_what_is_excluded_is_marked() -> None:
    assert told("next week, but not Friday") == ["2026-11-30 2026-12-07", "2026-11-27 2026-11-28!"]


def test_a_time_without_a_date_says_so() -> None:
    assert [reading.dated for reading in times("at 3pm, or Friday at 3pm", NOW, ZONE, "en")] == [False, True]


def test_an_hour_that_the_clocks_skip_is_doubtful() -> None:
    assert told("2027-03-28 at 02:30") == ["2027-03-28 02:30 2027-03-28 02:31?"]


def test_now_and_zone_are_checked() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        times("today", NOW.replace(tzinfo=None), ZONE)
    with pytest.raises(ValueError, match="no time zone"):
        times("today", NOW, "Mars/Olympus")
    with pytest.raises(ValueError, match="no words for the language"):
        times("today", NOW, ZONE, "xx")
