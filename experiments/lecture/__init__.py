"""The lecture "Deep Learning" (Media and Cognition, lecture 4) comes alive: every row of it, measured."""
