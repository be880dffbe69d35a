"""What finance answers for: reports per fund, what is owed and covered, the end of a pass year, and exports."""
