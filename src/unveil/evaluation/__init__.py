"""Comparing models honestly: fixed masks, two metrics, intervals, one JSON a protocol."""
