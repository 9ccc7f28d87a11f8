"""One module per source format that becomes a Keras model or a .tflite."""
