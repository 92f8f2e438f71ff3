"""Make an S3 bucket where there is none: `python make_bucket.py NAME`; address and keys come from `AWS_…`."""

import os
import sys

from pyarrow.fs import FileType, S3FileSystem

s3 = S3FileSystem(
    endpoint_override=os.environ["AWS_ENDPOINT_URL"],
    region=os.environ.get("AWS_REGION", "us-east-1"),
    allow_bucket_creation=True,
)
if s3.get_file_info(sys.argv[1]).type is FileType.NotFound:
    s3.create_dir(sys.argv[1])
