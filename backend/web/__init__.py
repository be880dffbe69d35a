"""Clearing in a browser: pages for finance, partner managers, venues and auditors."""
