"""Learning quality from a generator's own snapshots, a GAN to make some, and hard examples in its loss."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    ohem="ohem_weights RunningQuantile",
    snapshots="Snapshots",
    gan="train_gan",
    network="train_network",
    heads="train_heads",
    manifest="Manifest read_manifest",
    convergence="change_over_last_quarter",
)
