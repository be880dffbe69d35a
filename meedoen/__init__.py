"""The command line over all parties, and the demo. Nothing else imports it."""
