"""Kernels for Thumb without long multiplications (Cortex-M0, M0+, M23): two pixels in a word."""
