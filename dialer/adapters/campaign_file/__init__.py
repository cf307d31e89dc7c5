"""The campaign file (TOML) and the options of the command line, as a CampaignSpec; and back."""

from dialer.adapters.campaign_file.forms import fields_of, with_fields
from dialer.adapters.campaign_file.options import Overrides, override, read_options
from dialer.adapters.campaign_file.reading import parse_settings, read_campaign, read_settings
from dialer.adapters.campaign_file.writing import Key, keys_of, meaning_of, settings_of, write_settings

__all__ = [
    "Key",
    "Overrides",
    "fields_of",
    "keys_of",
    "meaning_of",
    "override",
    "parse_settings",
    "read_campaign",
    "read_options",
    "read_settings",
    "settings_of",
    "with_fields",
    "write_settings",
]
