"""English."""

from __future__ import annotations

from skerry_workflows.scheduling.phrases.language import Language

_ONES = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]


def _numbers() -> dict[str, int]:
    numbers = {word: n for n, word in enumerate(_ONES, start=1)}
    for n, ten in enumerate(_TENS, start=2):
        numbers[ten] = 10 * n
        for one, word in enumerate(_ONES[:9], start=1):
            numbers[f"{ten} {word}"] = numbers[f"{ten}-{word}"] = 10 * n + one
    return {**numbers, "a dozen": 12, "a hundred": 100, "one hundred": 100, "hundred": 100, "zero": 0}


def _ordinals() -> dict[str, int]:
    ordinals = {word: n for n, word in enumerate(_ORDINALS, start=1)}
    for one, word in enumerate(_ORDINALS[:9], start=1):
        ordinals[f"twenty {word}"] = ordinals[f"twenty-{word}"] = 20 + one
    return {**ordinals, "thirtieth": 30, "thirty first": 31, "thirty-first": 31}


LANGUAGE = Language(
    code="en",
    order="mdy",
    hours=12,
    numbers=_numbers(),
    ordinals=_ordinals(),
    weak=(
        "may, march, mar, sun, sat, wed, second, mon, spring, fall, easter, christmas, jan, now, summer, winter, "
        "autumn, weekend, weekends, daily, weekly, monthly, yearly, annually, quarterly, hourly, nightly, noon"
    ),
    marks=(
        "the, and, is, are, you, we, i, to, of, for, with, please, let, it, that, this, be, have, will, can, not, "
        "what, a, on, at, in, my, our, your, by, from, could, would, should, do, does, if, about, how, when, there, "
        "as, was, or, so, works"
    ),
    words={
        "WEEKDAY": {0: "monday, mon, mondy", 1: "tuesday, tue, tues", 2: "wednesday, wed, weds, wednsday",
            3: "thursday, thu, thur, thurs", 4: "friday, fri", 5: "saturday, sat", 6: "sunday, sun",
        },
        "WEEKDAYS": {"MO": "mondays", "TU": "tuesdays", "WE": "wednesdays", "TH": "thursdays", "FR": "fridays",
            "SA": "saturdays", "SU": "sundays", "MO,TU,WE,TH,FR": "weekdays", "SA,SU": "weekends",
        },
        "MONTH": {1: "january, jan", 2: "february, feb", 3: "march, mar", 4: "april, apr", 5: "may", 6: "june, jun",
            7: "july, jul", 8: "august, aug", 9: "september, sep, sept", 10: "october, oct", 11: "november, nov",
            12: "december, dec",
        },
        "UNIT": {"second": "second, seconds, sec, secs, s", "minute": "minute, minutes, min, mins, m",
            "hour": "hour, hours, hr, hrs, h", "day": "day, days",
            "workday": "business day, business days, working day, working days, workday, workdays, weekday",
            "week": "week, weeks, wk, wks", "fortnight": "fortnight, fortnights", "month": "month, months",
            "quarter": "quarter, quarters", "year": "year, years, yr, yrs", "decade": "decade, decades",
            "century": "century, centuries", "night": "night, nights", "weekend": "weekend, weekends",
        },
        "UNITS": {"day": "days", "week": "weeks", "month": "months"},
        "WEEKON": {7: "week", 14: "fortnight"},
        "ONDAY": {0: "on"},
        "DAYREF": {0: "today, todays, today's, this day",
            1: "tomorrow, tmrw, tmr, tomorow, tomorrow's, tommorow, tommorrow", -1: "yesterday, yesterday's",
            2: "day after tomorrow, the day after tomorrow, overmorrow, day after tmrw",
            -2: "day before yesterday, the day before yesterday",
        },
        "PARTREF": {"0 evening": "this evening", "0 night": "tonight, tonite, this night, tonight's",
            "-1 night": "last night",
        },
        "PART": {"dawn": "dawn, sunrise", "breakfast": "breakfast", "morning": "morning, mornings, forenoon",
            "midday": "middle of the day", "lunch": "lunch, lunchtime, lunch time",
            "afternoon": "afternoon, afternoons, arvo", "tea": "teatime, tea time", "evening": "evening, evenings",
            "dinner": "dinner, dinnertime, dinner time, supper", "night": "night, nighttime", "day": "daytime",
            "work": "business hours, working hours, office hours", "brunch": "brunch",
        },
        "NOW": {
            0: "now, right now, just now, immediately, asap, as soon as possible, at the moment, at this moment, "
            "this moment",
        },
        "REL": {0: "this, current, the current, this very",
            1: "next, following, the following, the next, this following",
            -1: "last, past, previous, this past, prior, preceding",
        },
        "RELPOST": {2: "after next", -2: "before last", 1: "following"},
        "COMING": {0: "coming, upcoming, this coming, this upcoming"},
        "SAME": {0: "same"},
        "THISTIME": {0: "this time"},
        "SAMETIME": {0: "same time, the same time, usual time, the usual time"},
        "LAST": {0: "last, final"},
        "A": {1: "a, an, another, one"},
        "HALF": {0: "half"},
        "FEW": {0: "few, several, some, a number of, a few"},
        "COUPLE": {0: "couple"},
        "QUARTEROF": {0.25: "quarter", 0.75: "three quarters, three-quarters"},
        "QUARTERMARK": {15: "quarter"},
        "OF": {0: "of, in, for, from"},
        "IN": {0: "in, on, at"},
        "ON": {0: "on, for, at"},
        "AT": {0: "at, @, by about"},
        "DURING": {0: "during, over, throughout"},
        "THE": {0: "the, my, our, your, a"},
        "FROM": {0: "from, starting, beginning, starting from, starting at, starting on"},
        "TO": {0: "to, till, til, until, thru, through, and until, up to"},
        "THROUGH": {0: "through, thru"},
        "UNTIL": {0: "until, till, til, up to, up until, upto, up to and including, through, thru"},
        "BETWEEN": {0: "between, in between"},
        "AND": {0: "and, &, plus"},
        "OR": {0: "or"},
        "BEFORE": {0: "before, prior to, earlier than, ahead of"},
        "AFTER": {0: "after, following, later than"},
        "BY": {0: "by, not later than, at the latest, no later than"},
        "SINCE": {
            0: "from, starting, as of, as early as, any time from, anytime from, beginning, not before, "
            "no earlier than, not earlier than, no sooner than",
        },
        "EVERSINCE": {0: "since, ever since"},
        "STARTING": {0: "starting, beginning, as of"},
        "FOR": {0: "for"},
        "ORLATER": {0: "or later, or after, onwards, onward, and later, and after, at the earliest"},
        "OREARLIER": {0: "or earlier, or before, and before, at the latest, latest"},
        "WITHIN": {0: "within, in less than, inside of, inside"},
        "INDUR": {0: "in, within"},
        "AGO": {0: "ago, before now, earlier, back, in the past, prior"},
        "HENCE": {0: "from now, hence, later, from today, from this moment, in the future"},
        "PLUS": {0: "+"},
        "ABOUT": {
            0: "about, around, approximately, approx, approx., roughly, ~, circa, ca., at least, at most, up to, "
            "nearly, almost, exactly, just",
        },
        "MORE": {0: "more than, over, at least, longer than, more"},
        "LESS": {0: "less than, under, at most, less"},
        "SO": {0: "so"},
        "EDGEPRE": {"middle": "mid, mid-"},
        "EDGE": {"start": "start, beginning, early part", "middle": "middle", "end": "end, close, late part"},
        "EDGEUNIT": {"end year": "eoy, year end, year-end, end of year",
            "end month": "eom, month end, end of month",
            "end day": "eod, cob, end of day, close of business, end of business, close of play, eob, end of play, "
            "end of the day",
            "end week": "eow, end of week", "start year": "boy", "start month": "bom",
        },
        "DAYEDGE": {"start": "first thing", "end": "last thing"},
        "WEEKOF": {
            0: "week commencing, week beginning, week starting, week ending, w/c, w/b, w/e, wc, week of",
        },
        "EARLY": {"early": "early", "earlier": "earlier"},
        "LATE": {"late": "late", "later": "later"},
        "AM": {"am": "am, a.m., a.m, a m"},
        "PM": {"pm": "pm, p.m., p.m, p m"},
        "AM1": {"am": "a"},
        "PM1": {"pm": "p"},
        "PARTADV": {"morning": "mornings", "afternoon": "afternoons", "evening": "evenings"},
        "CLOSEST": {0: "closest, nearest"},
        "NTHLAST": {
            -2: "second to last, second-to-last, second last, penultimate, next to last, last but one",
            -3: "third to last, third-to-last, third last, antepenultimate",
        },
        "OCLOCK": {0: "o'clock, oclock, o’clock, o clock"},
        "HOURSWORD": {0: "hours, hrs, h, hour"},
        "NOON": {0: "noon, midday, mid-day, noontime, noonish, noon-ish, 12 noon, twelve noon"},
        "MIDNIGHT": {0: "midnight, mid-night, 12 midnight"},
        "HALFPAST": {0: "half past, half-past, half"},
        "PAST": {0: "past, after"},
        "TILL": {0: "to, till, til, before, of"},
        "MINUTEWORD": {0: "minute, minutes, min, mins"},
        "ORDMARK": {0: "st, nd, rd, th"},
        "ISH": {0: "ish"},
        "HOURISH": {n: f"{word}ish, {word}-ish" for n, word in enumerate(_ONES[:12], start=1)},
        "THEDAY": {0: "on the"},
        "QMARK": {0: "q"},
        "HMARKNAME": {0: "h"},
        "REST": {0: "rest, the rest, remainder, the remainder"},
        "TODATE": {"year": "year to date, ytd", "month": "month to date, mtd", "quarter": "quarter to date, qtd"},
        "CENTURY": {0: "century"},
        "QUARTERWORD": {0: "quarter, qtr"},
        "DECADEMARK": {0: "s, 's"},
        "DECADEWORD": {20: "twenties", 50: "fifties", 60: "sixties", 70: "seventies", 80: "eighties", 90: "nineties"},
        "YEARWORD": {0: "year, the year"},
        "WEEKWORD": {0: "week, calendar week, cw"},
        "SEASON": {"spring": "spring, springtime", "summer": "summer, summertime", "autumn": "autumn, fall",
            "winter": "winter, wintertime",
        },
        "WEEKEND": {0: "weekend, week-end, week end"},
        "EVERY": {0: "every, each"},
        "ANY": {0: "any"},
        "OTHER": {0: "other, second"},
        "PER": {0: "a, per, each, every"},
        "TIMES": {0: "times, sessions, occurrences, lessons"},
        "ONCE": {0: "once, twice"},
        "FREQ": {"": "hourly, biweekly, bi-weekly, bimonthly, bi-monthly", "DAILY": "daily, nightly, everyday",
            "WEEKLY": "weekly", "WEEKLY;INTERVAL=2": "fortnightly", "MONTHLY": "monthly",
            "MONTHLY;INTERVAL=3": "quarterly", "YEARLY": "yearly, annually",
        },
        "NOT": {
            0: "not, except, excluding, but not, except for, other than, besides, isn't, doesn't work, can't, "
            "cannot, can't do, cannot do, can not do, can't make, cannot make, unavailable, "
            "busy, out, away, anything but, any day but, "
            "not available, avoid, never",
        },
        "ZONE": {"UTC": "utc, gmt, z", "America/Los_Angeles": "pst, pdt, pt, pacific time, pacific, california time",
            "America/Denver": "mst, mdt, mountain time", "America/Chicago": "cst, cdt, central time, chicago time",
            "America/New_York": "est, edt, et, eastern time, eastern, new york time, ny time",
            "Europe/Berlin": "cet, cest, berlin time, german time, central european time",
            "Europe/London": "bst, london time, uk time, british time", "Europe/Paris": "paris time, french time",
            "Europe/Madrid": "madrid time, spanish time", "Europe/Rome": "rome time, italian time",
            "Europe/Lisbon": "lisbon time", "Europe/Athens": "eet, eest", "Europe/Moscow": "msk, moscow time",
            "Asia/Tokyo": "jst, tokyo time", "Asia/Kolkata": "ist, india time, indian time",
            "Asia/Singapore": "sgt, singapore time", "Asia/Hong_Kong": "hkt, hong kong time",
            "Asia/Dubai": "dubai time", "Australia/Sydney": "aest, aedt, sydney time", "Pacific/Auckland": "nzst, nzdt",
        },
        "TMARK": {0: "t"},
        "UTCMARK": {"UTC": "z"},
        "HOLIDAY": {"new year": "new year's day, new years day, new year's, new years",
            "new year eve": "new year's eve, nye, new years eve", "epiphany": "epiphany",
            "valentine": "valentine's day, valentines day, valentine day",
            "patrick": "st patrick's day, st. patrick's day, saint patrick's day, st patricks day",
            "fools": "april fools, april fools' day, april fool's day, april fools day", "earth": "earth day",
            "women": "international women's day, women's day", "pi": "pi day", "easter": "easter, easter sunday",
            "good friday": "good friday", "easter monday": "easter monday", "ascension": "ascension day",
            "pentecost": "pentecost, whit sunday", "whit monday": "whit monday", "corpus christi": "corpus christi",
            "ash wednesday": "ash wednesday", "palm sunday": "palm sunday",
            "maundy thursday": "maundy thursday, holy thursday",
            "shrove tuesday": "shrove tuesday, pancake day, mardi gras",
            "labour": "may day, international workers' day", "mother": "mother's day, mothers day, mother day",
            "father": "father's day, fathers day, father day", "memorial": "memorial day",
            "juneteenth": "juneteenth, freedom day, jubilee day, emancipation day",
            "independence us": "independence day, 4th of july, fourth of july", "labor us": "labor day, labour day",
            "columbus": "columbus day", "halloween": "halloween, hallowe'en",
            "all saints": "all saints' day, all saints day", "all souls": "all souls' day, all souls day",
            "guy fawkes": "guy fawkes night, bonfire night",
            "veterans": "veterans day, veteran's day, armistice day, remembrance day",
            "thanksgiving": "thanksgiving, thanksgiving day", "black friday": "black friday",
            "cyber monday": "cyber monday", "nicholas": "st nicholas day",
            "christmas eve": "christmas eve, xmas eve",
            "christmas": "christmas, xmas, christmas day, xmas day, x-mas", "boxing": "boxing day",
            "mlk": "martin luther king day, martin luther king jr day, martin luther king jr. day, mlk day",
            "presidents": "presidents' day, presidents day, president's day, washington's birthday",
            "groundhog": "groundhog day, ground hog day", "cinco de mayo": "cinco de mayo",
            "bastille": "bastille day", "australia": "australia day", "waitangi": "waitangi day",
            "anzac": "anzac day", "canada": "canada day", "burns": "burns night, burns' night",
            "david": "st david's day, st. david's day, saint david's day",
            "george": "st george's day, st. george's day, saint george's day",
            "andrew": "st andrew's day, st. andrew's day, saint andrew's day", "patriot": "patriot day",
            "flag us": "flag day", "constitution us": "constitution day", "republic in": "republic day",
            "gandhi": "gandhi jayanti", "orthodox christmas": "orthodox christmas", "kwanzaa": "kwanzaa",
            "men": "international men's day, men's day", "lucia": "st lucy's day, saint lucy's day, st lucia's day",
            "candlemas": "candlemas", "annunciation": "annunciation", "michaelmas": "michaelmas",
            "tax us": "tax day", "environment": "world environment day", "health": "world health day",
            "boss": "boss's day, boss day, bosses' day", "twelfth night": "twelfth night",
            "assumption": "assumption day, assumption of mary",
            "thanksgiving ca": "canadian thanksgiving, thanksgiving canada",
            "early may": "early may bank holiday", "spring bank": "spring bank holiday",
            "summer bank": "summer bank holiday, august bank holiday", "remembrance": "remembrance sunday",
            "holy saturday": "holy saturday, easter saturday, easter eve", "trinity": "trinity sunday",
            "mothering": "mothering sunday", "orthodox easter": "orthodox easter, orthodox easter sunday",
            "orthodox good friday": "orthodox good friday", "orthodox easter monday": "orthodox easter monday",
            "giving tuesday": "giving tuesday", "grandparents": "grandparents day, grandparents' day",
            "rosh hashanah": "rosh hashanah, rosh hashana", "yom kippur": "yom kippur", "sukkot": "sukkot",
            "simchat torah": "simchat torah", "passover": "passover, pesach", "purim": "purim",
            "shavuot": "shavuot", "hanukkah": "hanukkah, chanukah, hanukah",
        },
        # ---- meetings and deadlines ----------------------------------------------------------------------------------
        "MEET": {
            0: "meet, meeting, meetings, meetup, call, chat, talk, catch up, catchup, sync, appointment, session, "
            "slot, slots, interview, demo, coffee, get together, schedule, reschedule, available, availability, "
            "discuss, conference, invite, workshop, kickoff, kick-off, one on one, one-on-one, 1:1, standup, stand-up, "
            "review meeting, zoom, stop by, drop by, come by, visit, speak, brainstorm, walk through, walkthrough, "
            "postpone, rearrange, move our, see you, join us, "
            "are you free, you free, free on, free at, free for, free next, free this, free tomorrow, lunch, "
            "dinner, breakfast, drinks",
        },
        "PROPOSE": {
            0: "how about, what about, shall we say, can we do, could we do, let's do, let us do, does it suit you, "
            "would it suit you, works for you, work for you, suit you",
        },
        "MOVE": {
            0: "move, moving, reschedule, postpone, push, "
            "shift, rearrange, bring forward, change our, change the meeting",
        },
        "WITH": {0: "with, together with, and with, invite, include, cc, loop in, bring"},
        "FLEX": {
            0: "flexible, any time, anytime, whenever, sometime, some time, whatever suits, whichever, either way, "
            "any day, works for me, at your convenience, any slot",
        },
        "DUE": {
            0: "due, due on, deadline, deadline is, due date, due date is, no later than, at the latest, expires, "
            "expires on, latest by, is due, are due",
        },
        "ROOM": {
            0: "room, meeting room, conference room, office, boardroom, lobby, canteen, cafeteria, café, cafe, "
            "restaurant, hall, building, headquarters, hq, your place, my place, library",
        },
        "REQUEST": {
            0: "can we, could we, shall we, let's, let us, would you, could you, can you, please, would like to, "
            "i'd like to, do you have, are you free, are you available, how about, what about, want to, need to, "
            "propose, suggest, would it be possible, does, when, we'll, we will, we should, looking forward",
        },
    },
)  # fmt: skip
