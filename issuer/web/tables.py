"""All tables of the desk: those of the registry, approvals, and the accounts of officers with their log."""

import issuer.approvals  # noqa: F401 - for its table
from issuer.registry.tables import Base
from issuer.web.permissions import ROLES
from web.schema import add_tables

metadata = Base.metadata
add_tables(metadata, ROLES)
