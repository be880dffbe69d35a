"""A week in Gelredam: the whole line on one machine, with everything that goes wrong in a week."""
