"""The page and the API: parse, call one room, show."""
