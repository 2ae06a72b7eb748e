"""Comparing models honestly: fixed masks, named measures, intervals, one JSON a protocol."""
