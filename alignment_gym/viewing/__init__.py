"""Watching policies and playing by hand: in a window, in a terminal, or on a page."""
