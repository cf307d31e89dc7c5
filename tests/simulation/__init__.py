"""The real rooms and the real ledger's SQL on a virtual clock, with everything else drawn from a seed."""
