"""IPTC Media Topics for a text, with the phrases that decided."""
