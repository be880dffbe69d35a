"""The base of the tables of accounts and of the log; a party adds them to its own database with `web.schema`."""

from datetime import datetime

from sqlalchemy.orm import DeclarativeBase

from web.moment import Moment


class Base(DeclarativeBase):
    """Tables that every app with officers has."""

    type_annotation_map = {datetime: Moment}  # noqa: RUF012
