"""A complete asynchronous client of api.vaanivoice.ai: ``client.VaaniVoiceApi``."""
