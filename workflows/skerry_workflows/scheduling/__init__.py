"""The scheduling workflow: calendars, meeting requests, slots."""
