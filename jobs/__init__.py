"""Thin arq entry points; the work is done in ``dialer.pipeline``."""
