"""Charts as SVG, made here: a browser runs no script for them. The table beside a chart says the same."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import altair
import vl_convert

from backend.web.overview import Fund

_COLOURS = ["#154273", "#b4cde6"]
_WIDTH = 420
_LOCALES: dict[str, Literal["nl-NL", "en-IE"]] = {"nl": "nl-NL", "en": "en-IE"}


@lru_cache(maxsize=32)
def _svg(rows: tuple[tuple[str, str, int], ...], order: tuple[str, str], title: str, language: str) -> str:
    """Bars of two parts. Drawing takes a tenth of a second, and numbers change a few times a day."""
    values = [
        {"name": name, "part": part, "euros": cents / 100, "order": order.index(part)} for name, part, cents in rows
    ]
    chart = (
        altair.Chart(altair.InlineData(values=values))
        .mark_bar()
        .encode(
            y=altair.Y("name:N", title=None, axis=altair.Axis(labelLimit=220)),
            x=altair.X("euros:Q", title=title),
            color=altair.Color(
                "part:N",
                title=None,
                sort=list(order),
                scale=altair.Scale(domain=list(order), range=_COLOURS),
                legend=altair.Legend(orient="bottom"),
            ),
            order="order:Q",
        )
        .properties(width=_WIDTH)
        .configure_axis(labelFontSize=13, titleFontSize=13)
        .configure_legend(labelFontSize=13)
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict(), format_locale=_LOCALES[language])
    return svg


def funds_chart(funds: Sequence[Fund], spent: str, outstanding: str, title: str, language: str) -> str:
    """Of each fund, what was spent of its loads and what is still outstanding."""
    rows = tuple(
        (fund.name, part, cents)
        for fund in funds
        for part, cents in ((spent, fund.spent), (outstanding, fund.outstanding))
    )
    return _svg(rows, (spent, outstanding), title, language)
