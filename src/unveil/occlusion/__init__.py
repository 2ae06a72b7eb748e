"""Hiding parts of faces, in numpy: the paper's rectangles, rectangles and strokes by coverage."""
