"""Video: faces restored through time. Needs the extra `video` (PyAV) for files, not for frames."""
