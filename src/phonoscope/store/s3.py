"""S3 and what speaks like it: conditional writes, so that of two writers one learns that the other was first.

s3fs finds credentials and endpoint and keeps the connections; the requests are ours, one try each, since what is tried
again and what is told must not depend on who answers.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import fsspec.asyn
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from phonoscope.store.driver import NEW, About, Conflict

WHOLE = 64 << 20  # bytes; larger files are sent in parts
BLOCK = 1 << 20  # bytes read at a time


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What to tell s3fs: as configured, but a request is tried once, by us, and nothing listed is remembered."""
    config = {"retries": {"total_max_attempts": 1}, **given.get("config_kwargs", {})}
    return {**given, "config_kwargs": config, "use_listings_cache": False}


class S3:
    """One try at a time, through the client that s3fs has set up."""

    faults = (OSError, ClientError, BotoCoreError, HTTPClientError, HttpError, TimeoutError)

    def __init__(self, fs: Any) -> None:
        self.fs = fs

    def get(self, path: str) -> tuple[bytes, str]:
        """Content and tag."""

        async def ask() -> tuple[bytes, str]:
            async with self._asked(path) as (client, place):
                found = await client.get_object(**place)
                async with found["Body"] as body:
                    return await body.read(), found["ETag"]

        return self._run(ask)

    def put(self, path: str, content: bytes, seen: str | None) -> str:
        """The tag of what was written."""
        condition = {} if seen is None else {"IfNoneMatch": "*"} if seen == NEW else {"IfMatch": seen}

        async def ask() -> str:
            async with self._asked(path) as (client, place):
                try:
                    return (await client.put_object(**place, Body=content, **condition))["ETag"]
                except ClientError as error:
                    if condition and (_status(error) in (409, 412) or (_status(error) == 404 and seen != NEW)):
                        raise Conflict(path) from error
                    raise

        return self._run(ask)

    def about(self, path: str) -> About:
        """Size, time and tag."""

        async def ask() -> About:
            async with self._asked(path) as (client, place):
                found = await client.head_object(**place)
                return About(found["ContentLength"], int(found["LastModified"].timestamp()) * 10**9, found["ETag"])

        return self._run(ask)

    def upload(self, path: str, file: Path) -> None:
        """A file as an object, a large one in parts."""
        if file.stat().st_size > WHOLE:
            self.fs.put_file(str(file), path)
        else:
            self.put(path, file.read_bytes(), None)

    def download(self, path: str, file: Path) -> None:
        """An object as a file, block by block."""

        async def ask() -> None:
            async with self._asked(path) as (client, place):
                found = await client.get_object(**place)
                async with found["Body"] as body:
                    with file.open("wb") as part:
                        while block := await body.read(BLOCK):
                            part.write(block)

        self._run(ask)

    def delete(self, paths: list[str]) -> None:
        """A thousand a request."""

        async def ask(some: list[str]) -> None:
            keys = [{"Key": self.fs.split_path(path)[1]} for path in some]
            async with self._asked(some[0]) as (client, place):
                told = await client.delete_objects(Bucket=place["Bucket"], Delete={"Objects": keys, "Quiet": True})
                for error in told.get("Errors", ()):
                    raise OSError(f"{error['Key']}: {error.get('Message') or error['Code']}")

        for start in range(0, len(paths), 1000):
            self._run(ask, paths[start : start + 1000])

    def names(self, path: str, most: int | None) -> list[str]:
        """A thousand a request."""

        async def ask() -> list[str]:
            found: list[str] = []
            async with self._asked(path) as (client, place):
                more: dict[str, Any] = {"MaxKeys": min(most or 1000, 1000)}
                while True:
                    page = await client.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"], **more)
                    found += [f"{place['Bucket']}/{it['Key']}" for it in page.get("Contents", ())]
                    if not page.get("IsTruncated") or (most and len(found) >= most):
                        return found
                    more["ContinuationToken"] = page["NextContinuationToken"]

        return self._run(ask)

    def _run(self, ask: Any, *arguments: Any) -> Any:
        return fsspec.asyn.sync(self.fs.loop, ask, *arguments)

    @asynccontextmanager
    async def _asked(self, path: str) -> AsyncIterator[tuple[Any, dict[str, str]]]:
        """The client, and which object is meant; what is missing or not allowed is told as of files."""
        bucket, key, _ = self.fs.split_path(path)
        try:
            await self.fs.set_session()
            yield await self.fs.get_s3(bucket), {"Bucket": bucket, "Key": key}
        except ClientError as error:
            said = error.response.get("Error", {})
            if _status(error) == 404:
                raise FileNotFoundError(said.get("Message") or f"there is no {path}") from error
            if _status(error) in (401, 403):
                raise PermissionError(f"{said.get('Code')}: {said.get('Message')}") from error
            raise
        except NoCredentialsError as error:
            raise PermissionError("no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret") from error


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
