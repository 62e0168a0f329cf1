"""iTIP (RFC 5546): what calendars of different people say to each other. Pure: calendars in, messages out, and back."""
