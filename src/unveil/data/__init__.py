"""Faces from folders, tar shards and CelebA indexes; the paper's triplets."""
