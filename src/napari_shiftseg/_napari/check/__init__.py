"""The widget "Check labels": which tile grid cut finished labels, and what it cut."""
