"""One folder per question: a README, a command, an answer. Nothing imports it."""
