"""What Prometheus reads: names, what counts, and the port where it is asked for."""
