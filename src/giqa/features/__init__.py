"""Pictures to features: extractors, the weights they need, the store of what was computed."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "make_extractor": "extract",
        "Store": "store",
        "find_device": "devices",
    },
)
