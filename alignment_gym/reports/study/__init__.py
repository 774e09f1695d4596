"""What is said of a study: its page, tables, figures, findings, and how two studies compare."""
