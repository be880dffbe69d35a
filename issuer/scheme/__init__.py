"""The scheme of a municipality: who may have a pass, its purses and funds, and what is granted; from one TOML file."""

from issuer.scheme.file import load_scheme
from issuer.scheme.model import Fund, Grant, Period, Purse, Scheme, Split, Unit

__all__ = ["Fund", "Grant", "Period", "Purse", "Scheme", "Split", "Unit", "load_scheme"]
