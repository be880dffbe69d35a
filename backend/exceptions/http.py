"""The calls of the exceptions desk, for finance staff."""

from typing import Any

from apiflask import APIBlueprint

from backend.clearing import Clearing
from backend.exceptions.schemas import CaseOut, CasesOut, CasesQuery, ClosingIn, case_out
from backend.http_schemas import ByIn, RetriedOut

_ACT = (
    "Answers 409 when the case is not one of which this can be done now, or when one person would do both parts; 403 "
    "when `by` may not."
)


def calls(clearing: Clearing) -> APIBlueprint:
    """Looking, and what can be done; words are the caller's."""
    blueprint = APIBlueprint("exceptions", __name__, url_prefix="/v1/exceptions", tag="Exceptions")
    desk = clearing.exceptions

    def who(given: dict[str, Any]) -> str:
        return clearing.answering(given["by"], "mend")

    @blueprint.get("/<case>")
    @blueprint.output(CaseOut)
    @blueprint.doc(summary="One case, with what was done about it", responses=[404])
    def one(case: str) -> Any:
        return case_out(desk.case(case))

    @blueprint.get("")
    @blueprint.input(CasesQuery, location="query", arg_name="query")
    @blueprint.output(CasesOut)
    @blueprint.doc(summary="What is not in order, by kind", responses=[400])
    def listing(query: dict[str, Any]) -> Any:
        found = desk.cases(query.get("kind"), query.get("venue"), query["ended"])
        page = found[query["offset"] : query["offset"] + query["limit"]]
        return {
            "counts": desk.counts(query.get("venue")),
            "total": len(found),
            "cases": [case_out(each) for each in page],
        }

    @blueprint.post("/<case>/retries")
    @blueprint.input(ByIn, arg_name="by")
    @blueprint.output(RetriedOut)
    @blueprint.doc(summary="Try what was refused once more", description=_ACT, responses=[400, 403, 404, 409, 503])
    def retry(case: str, by: dict[str, Any]) -> Any:
        return desk.retry(case, who(by))

    @blueprint.post("/<case>/closings")
    @blueprint.input(ClosingIn, arg_name="closing")
    @blueprint.output(CaseOut)
    @blueprint.doc(summary="Propose to close a case", description=_ACT, responses=[400, 403, 404, 409])
    def close(case: str, closing: dict[str, Any]) -> Any:
        return case_out(desk.close(case, who(closing), closing["reason"], closing["note"]))

    @blueprint.post("/<case>/bookings")
    @blueprint.input(ByIn, arg_name="by")
    @blueprint.output(CaseOut)
    @blueprint.doc(summary="Propose to post a doubt that happened", description=_ACT, responses=[400, 403, 404, 409])
    def book(case: str, by: dict[str, Any]) -> Any:
        return case_out(desk.book(case, who(by)))

    @blueprint.post("/<case>/confirmations")
    @blueprint.input(ByIn, arg_name="by")
    @blueprint.output(CaseOut)
    @blueprint.doc(summary="Confirm what somebody else proposed", description=_ACT, responses=[400, 403, 404, 409])
    def confirm(case: str, by: dict[str, Any]) -> Any:
        return case_out(desk.confirm(case, who(by)))

    @blueprint.post("/<case>/refusals")
    @blueprint.input(ByIn, arg_name="by")
    @blueprint.output(CaseOut)
    @blueprint.doc(summary="Drop what was proposed", description=_ACT, responses=[400, 403, 404, 409])
    def decline(case: str, by: dict[str, Any]) -> Any:
        return case_out(desk.decline(case, who(by)))

    return blueprint
