"""The sample site that `make run` serves on loopback and ingests."""
