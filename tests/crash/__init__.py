"""Processes that end themselves at named points, and what must hold afterwards."""
