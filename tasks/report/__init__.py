"""A run's summary as one self-contained HTML page."""
