"""Questions of one's own: which one an item asks, which items belong together, and the language of a rater."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("items", sa.Column("question", sa.String(64), nullable=False, server_default=""))
    op.add_column("items", sa.Column("unit", sa.Integer))
    op.add_column("items", sa.Column("say", sa.Text, nullable=False, server_default=""))
    op.add_column("raters", sa.Column("language", sa.String(16), nullable=False, server_default=""))
