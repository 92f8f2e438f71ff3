"""Machine-translation residue: found, mended where safe, and accounted for."""
