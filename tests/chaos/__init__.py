"""Real processes, real faults, and books kept by the provider that must agree with the ledger."""
