"""The tables of the vote store, as the newest migration leaves them (a test compares the two).

    studies    what is asked, and its settings          pictures   one encoded form, all of one length when served
    items      one picture or a pair, and the truth     raters     random ids; a session is kept as a digest only
    trials     item x rater, planned when they join     votes      append-only; an undo is a row with a higher revision
    secrets    signing key and password digest

Nothing but `studies.paused` and `secrets` is ever updated, and no row is ever deleted.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("token", String(64), nullable=False, unique=True),  # of the join link
    Column("settings", Text, nullable=False),  # JSON of giqa.study.study.Settings
    Column("picture_bytes", Integer, nullable=False),  # every picture is served with this many
    Column("created", Float, nullable=False),
    Column("paused", Boolean, nullable=False),
)
pictures = Table(
    "pictures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("studies.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # real, generated
    Column("generator", Text, nullable=False),  # "" for reals
    Column("png", LargeBinary, nullable=False),
)
items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("studies.id"), nullable=False, index=True),
    Column("part", String(16), nullable=False),  # tutorial, control, main
    Column("left", ForeignKey("pictures.id"), nullable=False),
    Column("right", ForeignKey("pictures.id")),
    Column("truth", String(16), nullable=False),  # the right answer, or "" where there is none
)
raters = Table(
    "raters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("study", ForeignKey("studies.id"), nullable=False, index=True),
    Column("session", String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    Column("joined", Float, nullable=False),
)
trials = Table(
    "trials",
    metadata,
    Column("id", String(32), primary_key=True),  # opaque: also the address of its pictures
    Column("rater", ForeignKey("raters.id"), nullable=False),
    Column("item", ForeignKey("items.id"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("flipped", Boolean, nullable=False),  # of a pair, right was shown on the left
    UniqueConstraint("rater", "place", name="one_trial_a_place"),
    UniqueConstraint("rater", "item", name="an_item_once_a_rater"),
)
votes = Table(
    "votes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),  # made by the browser, so that a retry does not double
    Column("rater", ForeignKey("raters.id"), nullable=False, index=True),
    Column("trial", ForeignKey("trials.id"), nullable=False),
    Column("revision", Integer, nullable=False),  # 0, then 1, 2 ... for corrections
    Column("answer", String(16), nullable=False),  # as shown: real, fake; left, right; 1 to 5
    Column("exposure_ms", Integer),  # asked for by the staircase
    Column("shown_ms", Float),  # measured by the browser's frames
    Column("response_ms", Float),
    Column("at", Float, nullable=False),  # seconds since 1970, by the server
    UniqueConstraint("trial", "revision", name="one_vote_a_revision"),
)
secrets = Table(
    "secrets", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False)
)

Index("pictures_of_study", pictures.c.study)
