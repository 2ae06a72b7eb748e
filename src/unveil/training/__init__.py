"""Training: needs the extra `train`; never imported by the runtime."""
