"""The desk in a browser: pages for clerks, team leads, administrators and auditors."""
