"""What is said of a world: its card, its pictures, its exact analysis."""
