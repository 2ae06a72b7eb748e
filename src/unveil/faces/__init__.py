"""Faces in photographs: putting the restored part back."""
