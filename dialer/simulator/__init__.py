"""Both Vaani APIs as one local server that keeps its own books.

It knows nothing of the dialer, and the dialer nothing of its insides: what they share is the wire.
``python -m dialer.simulator --help`` lists every switch.
"""
