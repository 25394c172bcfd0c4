"""One package a page. Pages do not know each other."""
