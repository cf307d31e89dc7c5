"""Campaigns that share their people, with real processes; minutes long."""
