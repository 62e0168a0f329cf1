"""Where calendars live: .ics files and folders, and CalDAV servers. One port, `Store`, for both."""
