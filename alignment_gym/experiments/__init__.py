"""What is run: run directories, studies, and what is written down about them."""
