"""The readings beam: the one door every observed value comes through, and who listens."""
