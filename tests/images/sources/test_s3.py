"""An S3 server on this machine, where the packages for one are installed."""

import pytest

from giqa.errors import MissingSource
from giqa.images.sources import fetch

s3fs = pytest.importorskip("s3fs", reason="s3:// needs the package s3fs")
moto = pytest.importorskip("moto.server", reason="the server needs the package moto[server]")


@pytest.fixture
def bucket(files, monkeypatch):
    """A bucket with the twelve."""
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("drawn")
    for name, raw in files.items():
        system.pipe(f"drawn/r/{name}", raw)
    yield system
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_bucket_is_read_once(bucket, same, monkeypatch):
    """A folder, a pattern, a second look from this machine; what is not there is asked for once."""
    monkeypatch.setattr(fetch, "WAIT", 60)
    same("s3://drawn/r")
    monkeypatch.setattr(s3fs.S3FileSystem, "_cat_file", None)
    same("s3://drawn/r/*g")
    for where in ("s3://drawn/none", "s3://nothing/r"):
        with pytest.raises(MissingSource, match=f"There is no {where!r}"):
            same(where)
