"""What an optimizer means: its recurrence, where two differ, how another framework spells it."""
