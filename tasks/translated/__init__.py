"""How likely a text was translated by a machine: a small model's opinion, kept apart from what the rules have seen."""
