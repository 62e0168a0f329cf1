"""What processes say over HTTP."""
