"""A shared store that is a bucket of S3, or of a server that speaks like it; needs boto3.

Credentials, region and endpoint are found as boto3 finds them: `AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL_S3` and so on.
"""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=16,
)
"""A bucket that does not answer costs a build some seconds, instead of botocore's minutes."""
_MISSING = frozenset({"NoSuchKey", "404"})


class S3Store:
    """Objects below `prefix` in a bucket."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        try:
            self._client = boto3.client("s3", config=_CONFIG)
        except BotoCoreError as error:  # such as a profile that is not there
            raise self._refused(error) from error

    def read(self, name: str) -> bytes | None:
        """Return an object, None where there is none; raises `OSError`."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            data: bytes = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise self._refused(error) from error
        except BotoCoreError as error:
            raise self._refused(error) from error
        return data

    def write(self, name: str, data: bytes) -> None:
        """Keep an object; raises `OSError`."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data)
        except (BotoCoreError, ClientError) as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> OSError:
        return OSError(f"s3://{self._bucket}: {error}")
