"""`python -m alignment_gym`."""

from alignment_gym.cli.app import main

if __name__ == "__main__":
    main()
