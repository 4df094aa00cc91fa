"""What a system measured over time."""
