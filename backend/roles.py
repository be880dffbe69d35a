"""The roles of people who work with clearing; what each may do stands in `backend.web.permissions`."""

FINANCE, FINANCE_LEAD, PARTNER_MANAGER, VENUE, AUDITOR, ADMINISTRATOR = ROLES = (
    "finance",
    "finance-lead",
    "partner-manager",
    "venue",
    "auditor",
    "administrator",
)
