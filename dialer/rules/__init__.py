"""Rules as data: files that a lawyer can read, part of the package."""

from importlib.resources import files


def calling_rules() -> str:
    """The text of ``calling_rules.toml``."""
    return _text("calling_rules.toml")


def north_america() -> str:
    """The text of ``north_america.toml``."""
    return _text("north_america.toml")


def state_names() -> str:
    """The text of ``state_names.toml``."""
    return _text("state_names.toml")


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
