"""Where one picture is unlike real ones: maps, what stands out in words, real pictures of the same place."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    maps="MapModel Explanation fit_maps load_maps",
    map_files="MapFiles read_map_folder write_maps",
    picture="heat heat_map map_model sentence write_page",
    one_picture="ExplainedPicture explain_picture",
    worst_pictures="explain_pictures",
)
