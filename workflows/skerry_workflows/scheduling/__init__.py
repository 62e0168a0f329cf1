"""The scheduling workflow: from a request for a meeting to an appointment in everybody's calendar.

`calendar` reads calendars, `itip` speaks with other people's, `slots` searches, `phrases` reads times in words, and
`workflow` holds the state machine.
"""
