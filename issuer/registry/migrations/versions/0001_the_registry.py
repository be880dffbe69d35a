"""The registry"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(length=32), nullable=False),
        sa.Column("full_name", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("start_code_hash", sa.String(length=64), nullable=True),
        sa.Column("start_code_until", sa.String(25), nullable=True),
        sa.Column("totp_secret", sa.String(length=256), nullable=True),
        sa.Column("totp_new_secret", sa.String(length=256), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=False),
        sa.Column("oidc_claim", sa.String(length=128), nullable=True),
        sa.Column("oidc_issuer", sa.String(length=256), nullable=True),
        sa.Column("oidc_subject", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("oidc_claim"),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject"),
        sa.UniqueConstraint("user_name"),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(25), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(25), nullable=True),
        sa.Column("used_at", sa.String(25), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.CheckConstraint("(outcome = 'open') = (decided_at is null)"),
        sa.CheckConstraint("(outcome = 'open') = (decided_by is null)"),
        sa.CheckConstraint("(outcome = 'used') = (used_at is not null)"),
        sa.CheckConstraint("outcome in ('open', 'approved', 'rejected', 'withdrawn', 'used')"),
        sa.CheckConstraint("outcome in ('open', 'withdrawn') or decided_by <> asked_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_approval_about"), "approval", ["about"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("trimmed", sa.Integer(), nullable=False),
        sa.Column("trimmed_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_line",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(25), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=128), nullable=False),
        sa.Column("result", sa.String(length=64), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_audit_line_action"), "audit_line", ["action"], unique=False)
    op.create_index(op.f("ix_audit_line_actor"), "audit_line", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_line_at"), "audit_line", ["at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'accepted', 'refused')", name="state_is_known"),
        sa.CheckConstraint("count > 0"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "handed_in",
        sa.Column("terminal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("terminal"),
    )
    op.create_table(
        "household",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("income_percent", sa.Integer(), nullable=False),
        sa.Column("band_by", sa.String(), nullable=False),
        sa.Column("band_on", sa.Date(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(25), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("accepted_at", sa.String(25), nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.Column("last_load", sa.Integer(), nullable=False),
        sa.Column("last_decision", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.String(25), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'looked') = (content is not null)", name="only_what_waits_has_content"),
        sa.CheckConstraint("state in ('looked', 'accepted', 'cancelled', 'undone')", name="state_is_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "journal_entry",
        sa.Column("terminal", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("entry", sa.LargeBinary(length=119), nullable=False),
        sa.PrimaryKeyConstraint("terminal", "position"),
    )
    op.create_index(op.f("ix_journal_entry_sequence"), "journal_entry", ["sequence"], unique=False)
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(25), nullable=False),
        sa.Column("whose", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_login_attempt_at"), "login_attempt", ["at"], unique=False)
    op.create_index(op.f("ix_login_attempt_whose"), "login_attempt", ["whose"], unique=False)
    op.create_table(
        "past_loads",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("grant_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purse", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("period", "grant_number", "purse"),
    )
    op.create_table(
        "renewal_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pass_year", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(25), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.Column("accepted_at", sa.String(25), nullable=True),
        sa.Column("finished_at", sa.String(25), nullable=True),
        sa.CheckConstraint("(state = 'accepted') = (accepted_by is not null)", name="somebody_accepted"),
        sa.CheckConstraint("state in ('preview', 'accepted', 'cancelled')", name="state_is_known"),
        sa.CheckConstraint("accepted_by is null or accepted_by != made_by", name="a_second_person_accepts"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "retention_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sealing_state",
        sa.Column("terminal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.LargeBinary(length=40), nullable=False),
        sa.PrimaryKeyConstraint("terminal"),
    )
    op.create_table(
        "account_role",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.CheckConstraint("role in ('clerk', 'team-lead', 'administrator', 'auditor')", name="role_is_known"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "role"),
    )
    op.create_table(
        "holder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("infix", sa.String(), nullable=False),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("search_name", sa.String(), nullable=False),
        sa.Column("born", sa.Date(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("school", sa.String(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["household.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("identity"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "holder_by_name", "holder", ["search_name"], unique=False, postgresql_ops={"search_name": "text_pattern_ops"}
    )
    op.create_index(op.f("ix_holder_born"), "holder", ["born"], unique=False)
    op.create_index(op.f("ix_holder_household_id"), "holder", ["household_id"], unique=False)
    op.create_table(
        "imported_household",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("left", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["import_run.id"],
        ),
        sa.PrimaryKeyConstraint("run_id", "household_id"),
    )
    op.create_table(
        "imported_row",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("left", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["import_run.id"],
        ),
        sa.PrimaryKeyConstraint("run_id", "holder_id"),
    )
    op.create_index(op.f("ix_imported_row_holder_id"), "imported_row", ["holder_id"], unique=False)
    op.create_table(
        "officer_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.String(25), nullable=False),
        sa.Column("seen_at", sa.String(25), nullable=False),
        sa.Column("second_step", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_index(op.f("ix_officer_session_account_id"), "officer_session", ["account_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "code_hash"),
    )
    op.create_table(
        "rejected_card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.LargeBinary(length=7), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_rejected_card_uid"), "rejected_card", ["uid"], unique=False)
    op.create_table(
        "stock_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.CheckConstraint("(kind = 'counted' and count != 0) or count < 0", name="cards_leave_unless_counted"),
        sa.CheckConstraint("kind in ('used', 'rejected', 'destroyed', 'counted')", name="kind_is_known"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_stock_move_delivery_id"), "stock_move", ["delivery_id"], unique=False)
    op.create_table(
        "card_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.LargeBinary(length=7), nullable=True),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key_versions", sa.JSON(), nullable=False),
        sa.Column("printed_code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state in ('stock', 'printed', 'destroyed') or uid is not null", name="an_encoded_pass_has_a_chip"
        ),
        sa.CheckConstraint(
            "state in ('stock', 'printed', 'encoded', 'handed_over', 'active', 'blocked', 'replaced', 'expired', 'destroyed')",
            name="state_is_known",
        ),
        sa.CheckConstraint("(uid is null) = (handle is null)", name="chip_and_handle_come_together"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"],
            ["holder.id"],
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"],
            ["card_pass.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("handle"),
        sa.UniqueConstraint("printed_code"),
        sa.UniqueConstraint("replaces_id"),
        sa.UniqueConstraint("uid"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_card_pass_holder_id"), "card_pass", ["holder_id"], unique=False)
    op.create_index(op.f("ix_card_pass_state"), "card_pass", ["state"], unique=False)
    op.create_index(
        "one_current_pass",
        "card_pass",
        ["holder_id"],
        unique=True,
        sqlite_where=sa.text("state in ('stock', 'printed', 'encoded', 'handed_over', 'active')"),
        postgresql_where=sa.text("state in ('stock', 'printed', 'encoded', 'handed_over', 'active')"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("grant_number", sa.Integer(), nullable=True),
        sa.Column("grant_name", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("hardship", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reason_en", sa.String(), nullable=False),
        sa.Column("income_percent", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("second_by", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('proposed', 'valid', 'rejected')", name="state_is_known"),
        sa.CheckConstraint("amount is null or amount >= 0"),
        sa.ForeignKeyConstraint(
            ["holder_id"],
            ["holder.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_decision_holder_id"), "decision", ["holder_id"], unique=False)
    op.create_table(
        "guardian",
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("guardian_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"],
            ["holder.id"],
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"],
            ["holder.id"],
        ),
        sa.PrimaryKeyConstraint("child_id", "guardian_id"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["holder_id"],
            ["holder.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_message_holder_id"), "message", ["holder_id"], unique=False)
    op.create_table(
        "planned_load",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("grant_number", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("purse", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("refill", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint("state in ('planned', 'written', 'cancelled')", name="state_is_known"),
        sa.CheckConstraint("amount > 0"),
        sa.ForeignKeyConstraint(
            ["holder_id"],
            ["holder.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("holder_id", "grant_number", "period", "part"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_planned_load_holder_id"), "planned_load", ["holder_id"], unique=False)
    op.create_table(
        "renewal_row",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("needs_card", sa.Boolean(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("became", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("outcome in ('keeps', 'loses', 'gains')", name="outcome_is_known"),
        sa.ForeignKeyConstraint(["holder_id"], ["holder.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["renewal_run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "holder_id"),
    )
    op.create_index(op.f("ix_renewal_row_holder_id"), "renewal_row", ["holder_id"], unique=False)
    op.create_table(
        "begun_card",
        sa.Column("uid", sa.LargeBinary(length=7), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pass_id"],
            ["card_pass.id"],
        ),
        sa.PrimaryKeyConstraint("uid"),
        sa.UniqueConstraint("pass_id"),
    )
    op.create_table(
        "open_intent",
        sa.Column("terminal", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("clear", sa.LargeBinary(length=42), nullable=False),
        sa.Column("tmc", sa.Integer(), nullable=False),
        sa.Column("enc_tmri", sa.LargeBinary(length=16), nullable=False),
        sa.Column("in_doubt", sa.LargeBinary(length=60), nullable=False),
        sa.Column("handed_in", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id"],
            ["planned_load.id"],
        ),
        sa.PrimaryKeyConstraint("terminal", "sequence"),
        sa.UniqueConstraint("handle"),
    )
    op.create_table(
        "pass_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.String(25), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state in ('stock', 'printed', 'encoded', 'handed_over', 'active', 'blocked', 'replaced', 'expired', 'destroyed')",
            name="state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["pass_id"],
            ["card_pass.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_pass_event_at"), "pass_event", ["at"], unique=False)
    op.create_index(op.f("ix_pass_event_pass_id"), "pass_event", ["pass_id"], unique=False)
