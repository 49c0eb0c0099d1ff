"""Files: in a directory or an S3-compatible store."""
