"""Scores and statistics: pure functions of numbers and arrays."""
