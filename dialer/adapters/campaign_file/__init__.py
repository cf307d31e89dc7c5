"""The campaign file (TOML) and the options of the command line, as a CampaignSpec."""

from dialer.adapters.campaign_file.options import Overrides, override, read_options
from dialer.adapters.campaign_file.reading import read_campaign

__all__ = ["Overrides", "override", "read_campaign", "read_options"]
