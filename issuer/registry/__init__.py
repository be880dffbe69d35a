"""What the desk keeps, in one database: people, passes, decisions, budgets on their way, and its own journal.

`Registry` opens it; the functions of the modules beside it work within one of its transactions, all or nothing.
"""

from issuer.registry.database import Registry
from issuer.registry.tables import Base

__all__ = ["Base", "Registry"]
