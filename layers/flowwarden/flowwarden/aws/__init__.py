"""The ports on AWS: one file per service. The only folder that imports boto3."""
