"""Colours, type and icons, from which the palette and the one style sheet are made."""
