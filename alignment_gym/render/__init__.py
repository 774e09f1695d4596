"""Scenes as pixels and as text; importing this room loads no graphics."""
