"""One module per way to write a board's flash: each has `flash(job) -> str`, how it was verified."""
