"""The lecture's figures, drawn from runs of this machine, in one style."""
