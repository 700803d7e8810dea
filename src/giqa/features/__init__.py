"""Pictures to features: extractors, the weights they need, the store of what was computed."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    reader="Reader extract make_extractor",
    store="Store",
    devices="find_device",
)
