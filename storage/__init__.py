"""What is kept: partitioned Parquet, the page archive, the ledger. Speaks Arrow, imports none of ours."""
