"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("picture_bytes", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
    )
    op.create_table(
        "pictures",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study", sa.Integer, sa.ForeignKey("studies.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("generator", sa.Text, nullable=False),
        sa.Column("png", sa.LargeBinary, nullable=False),
    )
    op.create_index("pictures_of_study", "pictures", ["study"])
    op.create_table(
        "items",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study", sa.Integer, sa.ForeignKey("studies.id"), nullable=False, index=True),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("left", sa.Integer, sa.ForeignKey("pictures.id"), nullable=False),
        sa.Column("right", sa.Integer, sa.ForeignKey("pictures.id")),
        sa.Column("truth", sa.String(16), nullable=False),
    )
    _answers()


def _answers() -> None:
    op.create_table(
        "raters",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("study", sa.Integer, sa.ForeignKey("studies.id"), nullable=False, index=True),
        sa.Column("session", sa.String(64), nullable=False, unique=True),
        sa.Column("joined", sa.Float, nullable=False),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("rater", sa.String(32), sa.ForeignKey("raters.id"), nullable=False),
        sa.Column("item", sa.Integer, sa.ForeignKey("items.id"), nullable=False, index=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("flipped", sa.Boolean, nullable=False),
        sa.UniqueConstraint("rater", "place", name="one_trial_a_place"),
        sa.UniqueConstraint("rater", "item", name="an_item_once_a_rater"),
    )
    op.create_table(
        "votes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("rater", sa.String(32), sa.ForeignKey("raters.id"), nullable=False, index=True),
        sa.Column("trial", sa.String(32), sa.ForeignKey("trials.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("exposure_ms", sa.Integer),
        sa.Column("shown_ms", sa.Float),
        sa.Column("response_ms", sa.Float),
        sa.Column("at", sa.Float, nullable=False),
        sa.UniqueConstraint("trial", "revision", name="one_vote_a_revision"),
    )
    op.create_table(
        "secrets", sa.Column("name", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )
