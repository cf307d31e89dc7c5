"""An asynchronous campaign dialer: calls a whole list once, and knows what happened on every call."""

__version__ = "0.1.0"
