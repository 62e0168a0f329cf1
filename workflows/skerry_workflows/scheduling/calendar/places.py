"""Names of time zones that neither the IANA database nor CLDR's table of Windows names has.

The places are those of the names that Windows shows in its list of time zones ("(UTC+01:00) Amsterdam, Berlin, ..."),
which calendars use as zone ids, and regions in the same style; what the IANA database has as a city is not repeated.
"""

from __future__ import annotations

from typing import Final

PLACES: Final = {
    "abu dhabi": "Asia/Dubai", "alberta": "America/Edmonton", "almaty": "Asia/Almaty", "arabia": "Asia/Riyadh",
    "astana": "Asia/Almaty", "bangalore": "Asia/Kolkata", "barcelona": "Europe/Madrid", "beijing": "Asia/Shanghai",
    "bern": "Europe/Zurich", "bombay": "Asia/Kolkata", "brasilia": "America/Sao_Paulo", "brazil": "America/Sao_Paulo",
    "cabo verde": "Atlantic/Cape_Verde", "calcutta": "Asia/Kolkata", "caucasus": "Asia/Tbilisi",
    "chennai": "Asia/Kolkata",
    "city of buenos aires": "America/Argentina/Buenos_Aires", "delhi": "Asia/Kolkata",
    "easter island": "Pacific/Easter",
    "eastern europe": "Europe/Bucharest", "edinburgh": "Europe/London", "eniwetok": "Pacific/Kwajalein",
    "frankfurt": "Europe/Berlin", "geneva": "Europe/Zurich", "georgetown": "America/Guyana",
    "guadalajara": "America/Mexico_City", "hamburg": "Europe/Berlin", "hanoi": "Asia/Bangkok",
    "harare": "Africa/Harare", "hyderabad": "Asia/Kolkata", "indiana east": "America/Indiana/Indianapolis",
    "international date line west": "Etc/GMT+12",
    "islamabad": "Asia/Karachi", "izhevsk": "Europe/Samara", "kiritimati island": "Pacific/Kiritimati",
    "kyoto": "Asia/Tokyo", "lyon": "Europe/Paris", "madras": "Asia/Kolkata", "marshall": "Pacific/Majuro",
    "mecca": "Asia/Riyadh", "middle europe": "Europe/Warsaw", "milan": "Europe/Rome", "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin", "new caledonia": "Pacific/Noumea", "new delhi": "Asia/Kolkata",
    "nuku'alofa": "Pacific/Tongatapu",
    "osaka": "Asia/Tokyo", "petropavlovsk-kamchatsky": "Asia/Kamchatka", "philadelphia": "America/New_York",
    "pretoria": "Africa/Johannesburg", "quito": "America/Guayaquil", "rio de janeiro": "America/Sao_Paulo",
    "san francisco": "America/Los_Angeles", "san juan": "America/Puerto_Rico", "sapporo": "Asia/Tokyo",
    "seattle": "America/Los_Angeles", "solomon": "Pacific/Guadalcanal", "sri jayawardenepura": "Asia/Colombo",
    "st. petersburg": "Europe/Moscow", "st petersburg": "Europe/Moscow", "tashkent": "Asia/Tashkent",
    "tel aviv": "Asia/Jerusalem", "the hague": "Europe/Amsterdam", "washington": "America/New_York",
    "wellington": "Pacific/Auckland", "west central africa": "Africa/Lagos", "western australia": "Australia/Perth",
    "yangon": "Asia/Yangon",
}  # fmt: skip

WINDOWS: Final = {
    "armenian": "Asia/Yerevan", "coordinated universal time": "Etc/UTC", "coordinated universal": "Etc/UTC",
    "kamchatka": "Asia/Kamchatka",
    "universal coordinated time": "Etc/UTC", "universal coordinated": "Etc/UTC",
    "malay peninsula": "Asia/Singapore", "mexico": "America/Mexico_City", "mexico standard time 2": "America/Chihuahua",
    "mid-atlantic": "Etc/GMT+2",
}  # fmt: skip
"""Names that Windows had and CLDR's table no longer has, in small letters and without "Standard Time"."""

ABBREVIATIONS: Final = {
    "est": "America/New_York", "edt": "America/New_York", "cst": "America/Chicago", "cdt": "America/Chicago",
    "mst": "America/Denver", "mdt": "America/Denver", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles",
    "akst": "America/Anchorage", "akdt": "America/Anchorage", "hst": "Pacific/Honolulu",
    "cet": "Europe/Berlin", "cest": "Europe/Berlin", "eet": "Europe/Helsinki", "eest": "Europe/Helsinki",
    "wet": "Europe/Lisbon", "west": "Europe/Lisbon", "msk": "Europe/Moscow", "jst": "Asia/Tokyo", "kst": "Asia/Seoul",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "awst": "Australia/Perth", "nzst": "Pacific/Auckland",
    "nzdt": "Pacific/Auckland", "bst": "Europe/London", "sast": "Africa/Johannesburg", "ut": "Etc/UTC",
}  # fmt: skip
"""The zones of RFC 5322, section 4.3, and others in wide use that mean one region. IST and others mean several."""
