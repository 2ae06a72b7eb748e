"""Faces in photographs: finding them, aligning them, putting the restored part back."""
