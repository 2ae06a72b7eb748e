"""Realistic occluders, a file a family; each draws a `Layer` in the canonical frame."""
