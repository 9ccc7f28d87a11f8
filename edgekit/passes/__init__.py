"""Graph rewrites, one per file, each Graph -> Graph."""
