"""What is said: tables, figures, cards, citation."""
