"""What runs Skerry elsewhere: compose.yaml, the Dockerfile, systemd units."""
