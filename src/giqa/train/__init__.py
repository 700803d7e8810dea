"""Learning quality from a generator's own snapshots, a GAN to make some, and hard examples in its loss."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "ohem_weights": "ohem",
        "RunningQuantile": "ohem",
        "Snapshots": "snapshots",
        "train_gan": "gan",
        "train_network": "network",
        "train_heads": "heads",
        "Manifest": "manifest",
        "read_manifest": "manifest",
        "change_over_last_quarter": "convergence",
    },
)
