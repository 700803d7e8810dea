"""Pictures to features: extractors, the weights they need, the store of what was computed."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Reader": "reader",
        "extract": "reader",
        "make_extractor": "reader",
        "Store": "store",
        "find_device": "devices",
    },
)
