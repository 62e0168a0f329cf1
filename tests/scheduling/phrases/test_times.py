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
    "since Monday": "2026-11-23 ...",
    "since March": "2026-03-01 ...",
    "not before the 15th": "2026-12-15 ...",
    "up to and including Friday": "... 2026-11-28",
    "by 5 this afternoon": "... 2026-11-25 17:00",
    "later today": "2026-11-25 11:30 2026-11-26 00:00",
    "later this week": "2026-11-26 2026-11-30",
    "earlier this month": "2026-11-01 00:00 2026-11-25 11:30",
    "within the hour": "2026-11-25 11:30 2026-11-25 12:30",
    "Friday pm": "2026-11-27 12:00 2026-11-27 18:00",
    "first thing tomorrow": "2026-11-26 08:00 2026-11-26 11:00",
    "last thing on Friday": "2026-11-27 17:00 2026-11-27 18:00",
    "first thing Monday morning": "2026-11-30 08:00 2026-11-30 12:00",
    "the nineties": "1990-01-01 2000-01-01",
}

AS_PEOPLE_SAY = {
    "Friday week": "2026-12-04 2026-12-05",
    "a week on Friday": "2026-12-04 2026-12-05",
    "Monday fortnight": "2026-12-14 2026-12-15",
    "two weeks tomorrow": "2026-12-10 2026-12-11",
    "a week today": "2026-12-02 2026-12-03",
    "this time tomorrow": "2026-11-26 11:30 2026-11-26 11:31",
    "this time next week": "2026-12-02 11:30 2026-12-02 11:31",
    "week commencing 7 December": "2026-12-07 2026-12-14",
    "the week ending December 11": "2026-12-07 2026-12-14",
    "tomorrow around 3": "2026-11-26 15:00 2026-11-26 16:00",
    "this evening around 7": "2026-11-25 19:00 2026-11-25 20:00",
    "twenty-five past three": "2026-11-25 15:25 2026-11-25 15:26",
    "fiveish on Friday": "2026-11-27 17:00 2026-11-27 18:00?",
    "nine o'clock": "2026-11-26 09:00 2026-11-26 10:00",
    "at 14h30": "2026-11-25 14:30 2026-11-25 14:31",
    "14:30 hrs": "2026-11-25 14:30 2026-11-25 14:31",
    "at 1700": "2026-11-25 17:00 2026-11-25 17:01",
    "at 2030": "2026-11-25 20:30 2026-11-25 20:31?",
    "Friday 2pm GMT+2": "2026-11-27 13:00 2026-11-27 14:00",
    "Friday 14:00 UTC-5": "2026-11-27 20:00 2026-11-27 20:01",
    "Friday 14:00 +0530": "2026-11-27 09:30 2026-11-27 09:31",
    "10am London time tomorrow": "2026-11-26 11:00 2026-11-26 12:00",
    "the 1st of the month": "2026-12-01 2026-12-02",
    "this coming weekend": "2026-11-28 2026-11-30",
    "the weekend of December 12": "2026-12-12 2026-12-14",
    "the weekend before Christmas": "2026-12-19 2026-12-21",
    "Thanksgiving week": "2026-11-23 2026-11-30",
    "the closest Monday to December 3": "2026-11-30 2026-12-01",
    "two Mondays ago": "2026-11-16 2026-11-17",
    "in two Fridays": "2026-12-04 2026-12-05",
    "the second to last Friday of December": "2026-12-18 2026-12-19",
    "the first few days of December": "2026-12-01 2026-12-04?",
    "through Friday": "... 2026-11-28",
    "Friday EOD": "2026-11-27 17:00 2026-11-27 18:00",
    "Friday 9:30a": "2026-11-27 09:30 2026-11-27 09:31",
    "3Q27": "2027-07-01 2027-10-01",
    "the coming weeks": "2026-11-26 2026-12-17?",
    "same time next Thursday": "2026-12-03 2026-12-04??",
    "3 or 4 pm": "2026-11-25 15:00 2026-11-25 16:00?",
}

LISTS = {
    "the 6th, 7th or 8th": ["2026-12-06 2026-12-07", "2026-12-07 2026-12-08", "2026-12-08 2026-12-09"],
    "December 7, 9 or 11": ["2026-12-07 2026-12-08", "2026-12-09 2026-12-10", "2026-12-11 2026-12-12"],
    "on Friday at 3 or 4": ["2026-11-27 15:00 2026-11-27 16:00", "2026-11-27 16:00 2026-11-27 17:00"],
    "at 10am or 11": ["2026-11-26 10:00 2026-11-26 11:00", "2026-11-26 11:00 2026-11-26 12:00"],
    "Thursday and Friday of next week": ["2026-12-03 2026-12-04", "2026-12-04 2026-12-05"],
    "Mon, Thu and Sat": ["2026-11-30 2026-12-01", "2026-11-26 2026-11-27", "2026-11-28 2026-11-29"],
    "December 7, 12 people came": ["2026-12-07 2026-12-08"],
    "on Friday about 10 people came": ["2026-11-27 2026-11-28"],
    "Thursday afternoon, one hour": ["2026-11-26 12:00 2026-11-26 18:00", "60 min"],
    "45 min, starting on Thursday": ["45 min", "2026-11-26 ..."],
    "six weeks, 30 minutes each": ["60480 min", "30 min"],
}

SERIES = {
    "every Tuesday at 10": ("FREQ=WEEKLY;BYDAY=TU", "01.12. 10:00"),
    "every Tuesday and Thursday at 9": ("FREQ=WEEKLY;BYDAY=TU,TH", "26.11. 09:00"),
    "every Monday, Wednesday and Friday at 8:30am": ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "27.11. 08:30"),
    "every other Tuesday": ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "01.12. 00:00"),
    "every two weeks on Friday at 2pm": ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "27.11. 14:00"),
    "weekly at 10 on Tuesday": ("FREQ=WEEKLY;BYDAY=TU", "01.12. 10:00"),
    "Mondays and Thursdays at 4pm": ("FREQ=WEEKLY;BYDAY=MO,TH", "26.11. 16:00"),
    "every weekday at 9:15": ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "26.11. 09:15"),
    "every day at noon": ("FREQ=DAILY", "25.11. 12:00"),
    "every Friday afternoon": ("FREQ=WEEKLY;BYDAY=FR", "27.11. 12:00"),
    "every first Monday of the month at 3pm": ("FREQ=MONTHLY;BYDAY=1MO", "07.12. 15:00"),
    "the last Friday of every month": ("FREQ=MONTHLY;BYDAY=-1FR", "27.11. 00:00"),
    "every month on the 15th": ("FREQ=MONTHLY;BYMONTHDAY=15", "15.12. 00:00"),
    "the last day of every month": ("FREQ=MONTHLY;BYMONTHDAY=-1", "30.11. 00:00"),
    "every year on March 3": ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3", "03.03. 00:00"),
    "a weekly call": ("FREQ=WEEKLY", ""),
    "any Tuesday": ("", ""),
    "twice a week": ("", ""),
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
    "table",
    [POINTS, INTERVALS, AS_PEOPLE_SAY, UNSURE, LENGTHS],
    ids=["points", "intervals", "as people say", "unsure", "lengths"],
)
def test_words_mean(table: dict[str, str]) -> None:
    """Alone, and in the middle of a sentence."""
    assert {text: told(text) for text in table} == {text: [meant] for text, meant in table.items()}
    inside = {text: told(f"Could we say {text}, please?") for text in table}
    assert inside == {text: [meant] for text, meant in table.items()}


def test_lists_are_read_to_their_end() -> None:
    assert {text: told(text) for text in LISTS} == LISTS


def test_a_series_is_a_rule_and_its_first_time() -> None:
    found = {text: [each for each in times(text, NOW, ZONE, "en") if each.kind == "recurring"] for text in SERIES}
    assert {
        text: [
            (each.repeats, f"{each.first.start:%d.%m. %H:%M}" if each.first and each.first.start else "")
            for each in all
        ]
        for text, all in found.items()
    } == {text: [meant] for text, meant in SERIES.items()}


def test_the_language_of_a_few_words_is_found() -> None:
    assert [times(text, NOW, ZONE)[0].language for text in ("a week on Friday", "seven o'clock", "vendredi à 10h")] == [
        "en",
        "en",
        "fr",
    ]


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


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("Easter", ["2024-03-31", "2025-04-20", "2026-04-05"]),
        ("Orthodox Easter", ["2024-05-05", "2025-04-20", "2026-04-12"]),
        ("Rosh Hashanah", ["2024-10-03", "2025-09-23", "2026-09-12"]),
        ("Yom Kippur", ["2024-10-12", "2025-10-02", "2026-09-21"]),
        ("Hanukkah", ["2024-12-26", "2025-12-15", "2026-12-05"]),
        ("Passover", ["2024-04-23", "2025-04-13", "2026-04-02"]),
        ("Thanksgiving", ["2024-11-28", "2025-11-27", "2026-11-26"]),
        ("Giving Tuesday", ["2024-12-03", "2025-12-02", "2026-12-01"]),
    ],
)
def test_holidays_that_move(name: str, days: list[str]) -> None:
    assert [told(f"{name} {day[:4]}")[0].split()[0] for day in days] == days
