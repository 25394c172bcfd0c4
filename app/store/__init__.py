"""Where records live: SQLCipher files, the one transaction, and everything derived from it."""
