"""The tables of the vote store, as the newest migration leaves them (a test compares the two).

    studies    what is asked, and its settings          pictures   one encoded form, all of one length when served
    items      a question about one picture or a pair   raters     random ids; a session is kept as a digest only
    trials     item x rater, planned when they join     votes      append-only; an undo is a row with a higher revision
    secrets    signing key, password digest, sessions of admins that were ended

Nothing but `studies.paused` and `secrets` is ever updated, and no row is ever deleted.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("token", sa.String(64), nullable=False, unique=True),  # of the join link
    sa.Column("settings", sa.Text, nullable=False),  # JSON of giqa.study.study.Settings
    sa.Column("picture_bytes", sa.Integer, nullable=False),  # every picture is served with this many
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
)
pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.ForeignKey("studies.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # real, generated
    sa.Column("generator", sa.Text, nullable=False),  # "" for reals
    sa.Column("png", sa.LargeBinary, nullable=False),
)
items = sa.Table(
    "items",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.ForeignKey("studies.id"), nullable=False, index=True),
    sa.Column("part", sa.String(16), nullable=False),  # tutorial, control, main
    sa.Column("left", sa.ForeignKey("pictures.id"), nullable=False),
    sa.Column("right", sa.ForeignKey("pictures.id")),
    sa.Column("truth", sa.String(16), nullable=False),  # right answers, with commas, or "" where there is none
    sa.Column("question", sa.String(64), nullable=False, server_default=""),  # "": that of the task
    sa.Column("unit", sa.Integer),  # items with one number are the same pictures, asked one after the other
    sa.Column("say", sa.Text, nullable=False, server_default=""),  # JSON, language -> read instead of the question
)
raters = sa.Table(
    "raters",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("study", sa.ForeignKey("studies.id"), nullable=False, index=True),
    sa.Column("session", sa.String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    sa.Column("joined", sa.Float, nullable=False),
    sa.Column("language", sa.String(16), nullable=False, server_default=""),  # "": the study has one question
)
trials = sa.Table(
    "trials",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # opaque: also the address of its pictures
    sa.Column("rater", sa.ForeignKey("raters.id"), nullable=False),
    sa.Column("item", sa.ForeignKey("items.id"), nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("flipped", sa.Boolean, nullable=False),  # of a pair, right was shown on the left
    sa.UniqueConstraint("rater", "place", name="one_trial_a_place"),
    sa.UniqueConstraint("rater", "item", name="an_item_once_a_rater"),
)
votes = sa.Table(
    "votes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),  # made by the browser, so that a retry does not double
    sa.Column("rater", sa.ForeignKey("raters.id"), nullable=False, index=True),
    sa.Column("trial", sa.ForeignKey("trials.id"), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),  # 0, then 1, 2 ... for corrections
    sa.Column("answer", sa.String(16), nullable=False),  # as shown: real, fake; left, right; 1 to 5
    sa.Column("exposure_ms", sa.Integer),  # asked for by the staircase
    sa.Column("shown_ms", sa.Float),  # measured by the browser's frames
    sa.Column("response_ms", sa.Float),
    sa.Column("at", sa.Float, nullable=False),  # seconds since 1970, by the server
    sa.UniqueConstraint("trial", "revision", name="one_vote_a_revision"),
)
secrets = sa.Table(
    "secrets", metadata, sa.Column("name", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
)

sa.Index("pictures_of_study", pictures.c.study)
