"""Where a profile lives, who may open it, and what a person may set for this computer."""
