"""The accounts of officers and the log, among the tables of the registry."""

from issuer.registry.tables import Base
from issuer.web.permissions import ROLES
from web.schema import add_tables

add_tables(Base.metadata, ROLES)
