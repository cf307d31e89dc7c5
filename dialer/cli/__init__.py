"""The command line: parse, call one room, print."""

from dialer.cli.app import main

__all__ = ["main"]
