"""The columns of a table of scores."""

from __future__ import annotations

NUMBERS = ("score", "z", "percentile", "z_low", "z_high")
PEOPLE = ("p_real", "p_real_low", "p_real_high")  # only where a human model was asked too
DETAIL = ("detail",)  # only where the model keeps the detail of its reals, and pictures were scored
PREFERRED = ("p_preferred", "p_preferred_low", "p_preferred_high")  # of one that learned from pairs
RATED = ("rating", "rating_low", "rating_high")  # of one that learned from ratings
SAID = (*PEOPLE, *PREFERRED, *RATED)
TEXT_NUMBERS = ("text_quality", "text_quality_low", "text_quality_high", "n_text")  # only where text was looked for
TEXT = (*TEXT_NUMBERS, "text_box")
TEXT_READ = ("text_error", "text_read")  # only where it was compared with the text that was asked for
TEXTS = ("duplicate_of", "out_of_domain", "error", "notes")
REASON = ("reason",)  # not in tables that an earlier giqa wrote
TEXT_WORDS = ("text_box", "text_read")
WORDS = ("id", *REASON, *TEXTS, *TEXT_WORDS)  # all columns that are no numbers
COLUMNS = ("id", *NUMBERS, *TEXTS)
