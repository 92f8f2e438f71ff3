"""The functions of `adapters` with all rules and the gate opened: the rule book at its boldest."""

from benchmarks import adapters
from benchmarks.adapters import detect, duplicates, extract, language, make, normalise, score

__all__ = ["detect", "duplicates", "extract", "language", "make", "normalise", "score"]

adapters.MODE = "all"
