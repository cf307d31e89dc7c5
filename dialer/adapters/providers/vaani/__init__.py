"""An asynchronous client of api.vaani.ai, as far as that API is documented: ``client.VaaniApi``."""
