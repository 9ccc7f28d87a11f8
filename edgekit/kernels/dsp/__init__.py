"""Kernels for the DSP instructions of Cortex-M4, M7 and M33: two products in one instruction."""
