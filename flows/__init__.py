"""What runs: each flow reads like a table of contents."""
