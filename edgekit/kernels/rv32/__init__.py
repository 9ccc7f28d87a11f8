"""Kernels for RV32IM and its compressed instructions: two pixels in a word, 28 registers."""
