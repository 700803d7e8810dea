"""Where one picture is unlike real ones: maps, what stands out in words, real pictures of the same place."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "MapModel": "maps",
        "Explanation": "maps",
        "fit_maps": "maps",
        "load_maps": "maps",
        "heat": "picture",
        "heat_map": "picture",
        "map_model": "picture",
        "sentence": "picture",
        "write_page": "picture",
        "explain_pictures": "worst_pictures",
    },
)
