"""One more table, as a later JupyterHub may have."""

import sqlalchemy as sa
from alembic import op

revision = "f00d00000001"
down_revision = "4621fec11365"


def upgrade() -> None:
    op.create_table("one_more", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("one_more")
