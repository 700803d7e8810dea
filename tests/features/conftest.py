"""Weights files of Inception's official layout, made here, and the networks they came from."""

import pytest


def official(width, folder):
    import torch  # it may be absent; the tests that ask for these files skip themselves
    from inception_samples import reference

    net, path = reference(width), folder / "pt_inception.pth"
    torch.save(net.official(), path)
    return path, net


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A file of the official layout with an eighth of the channels, and the network it came from."""
    return official(1 / 8, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    return official(1, tmp_path_factory.mktemp("full"))
