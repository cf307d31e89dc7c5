"""One line made wrong, and which suite says so."""
