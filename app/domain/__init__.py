"""Values, state words, pure rules, errors and ports. Standard library only."""
