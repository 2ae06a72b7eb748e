"""Hiding parts of faces, without torch: rectangles and strokes by coverage, realistic occluders."""
