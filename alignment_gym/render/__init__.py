"""Scenes as pixels, as text and as animation files; importing this room loads no graphics."""
