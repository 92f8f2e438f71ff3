"""What happens to a document: plain functions. Only `stages.py` knows Prefect."""
