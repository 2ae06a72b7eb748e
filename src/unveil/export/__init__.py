"""From a checkpoint to the ONNX files of the runtime; needs the extra `train`."""
