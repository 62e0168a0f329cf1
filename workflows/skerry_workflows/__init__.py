"""The workflows that come with Skerry."""
