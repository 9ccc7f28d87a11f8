"""One module per engine that runs a model on the host."""
