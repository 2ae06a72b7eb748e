"""Networks at run time: onnxruntime and the shipped weights. Never imports torch."""
