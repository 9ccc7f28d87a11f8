"""Modelled cycles: what counted instructions would take on a core whose timing is published."""
