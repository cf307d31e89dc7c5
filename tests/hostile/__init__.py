"""A second provider, written from the vendors' pages alone and as unfriendly as they allow."""
