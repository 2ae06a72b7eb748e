"""Realistic occluders, a file a family: `Layer`s in the canonical frame, turned with the head."""
