"""Finding a time: pure functions from what is known of people's time to ranked proposals with reasons."""
