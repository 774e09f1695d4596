"""From a world to tables, and the faces of those tables."""
