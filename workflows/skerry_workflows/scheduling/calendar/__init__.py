"""Calendars as files: reading, occurrences, free/busy, reminders. Pure: bytes in, values out."""
