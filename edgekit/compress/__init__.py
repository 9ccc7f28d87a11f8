"""Pruning, fine-tuning and quantization: before the int8 .tflite, in the framework."""
