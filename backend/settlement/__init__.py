"""Pays the venues: one settlement a period, prepared by one person and approved by another."""
