"""States of attempts as SQL text. Apart from the tables: no command waits for SQLAlchemy to be imported."""

from dialer.domain.attempt import AttemptState


def in_states(states: frozenset[AttemptState]) -> str:
    """``'dialing', 'placed'`` in declaration order, for SQL text."""
    return ", ".join(f"'{state}'" for state in AttemptState if state in states)
