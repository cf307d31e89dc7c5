"""The ground: reads the environment, and knows none of the other packages."""

from config.placeholders import fill_url
from config.settings import Settings, SettingsError, load_settings

__all__ = ["Settings", "SettingsError", "fill_url", "load_settings"]
