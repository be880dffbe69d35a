from sqlalchemy import Engine

from issuer.registry.tables import Base


def upgrade(engine: Engine) -> None:
    Base.metadata.create_all(engine)
