"""One module per runtime: a graph and its memory plan become model code."""
