"""Attacks on the service, each with the figures that have to hold."""
