"""A second opinion on calling hours, worked out by other means than the dialer's, and the judge who compares both."""
