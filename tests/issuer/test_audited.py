"""What is done at the command line leaves a line in the audit log, as the same work on a page does."""

from typer.testing import CliRunner

from issuer.cli import app
from issuer.registry import Registry
from tests.issuer.a_registry import give_pass, take
from tests.issuer.test_desk import CHILD
from web.audit_log import AuditLine


def test_a_pass_blocked_at_the_command_line_is_in_the_audit_log(tmp_path):
    registry = Registry.at(tmp_path)
    (child,) = take(registry, [CHILD])
    give_pass(registry, child, "K7QW-M2XP")
    assert CliRunner().invoke(app, ["block", "K7QW-M2XP", "--data", str(tmp_path)]).exit_code == 0
    with registry.transaction() as session:
        assert session.query(AuditLine).count() == 1
