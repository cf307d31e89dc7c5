"""Which of our numbers to show."""


def choose(caller_ids: tuple[str, ...], contact_id: int, number_of: int) -> str | None:
    """Rotate over ``caller_ids``: spread over contacts, and another number for each further attempt."""
    if not caller_ids:
        return None
    return caller_ids[(contact_id + number_of - 1) % len(caller_ids)]
