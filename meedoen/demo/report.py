"""The page of the demo: charts with their tables, in Dutch and in English, without a line of script."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, Literal

import altair
import vl_convert
from babel.numbers import format_currency, format_decimal

_WORDS = {
    "nl": {
        "title": "Een week in Gelredam",
        "lead": "Van de balie tot de bank: wat de passen, de locaties en de bank laten zien.",
        "right": "Alles klopt: elke cent op de passen staat ook in het grootboek.",
        "wrong": "Let op: dit klopt niet",
        "numbers": "De week in cijfers",
        "passes": "Passen",
        "taps": "Keer een pas bij de lezer",
        "proven": "Bewezen transacties, met opladen",
        "in_doubt": "Nog niet zeker",
        "loads": "Op passen gezet",
        "debits": "Uitgegeven",
        "balances": "Nog op de passen",
        "discounts": "Kortingen die de gemeente vergoedt",
        "recredit": "Terug te geven aan pashouders",
        "paid": "Betaald aan locaties",
        "outcomes": "Wat de schermen zeiden",
        "venues": "Wat de locaties krijgen",
        "funds": "Waar het geld vandaan komt",
        "quarantine": "Wat apart ligt en niet is betaald",
        "nothing": "Niets.",
        "count": "aantal",
        "euro": "euro",
        "outcome": "uitkomst",
        "venue": "locatie",
        "fund": "fonds",
        "kind": "soort",
        "column_loaded": "op passen gezet",
        "column_spent": "uitgegeven",
        "column_outstanding": "nog op passen",
        "column_discounts": "kortingen",
        "spent": "uitgegeven",
        "outstanding": "nog op passen",
        "reason": "reden",
        "approved": "ja",
        "torn": "te vroeg weg, opnieuw",
        "power_cuts": "stroom weg",
        "reversals": "teruggeboekt",
        "not_enough_budget": "nee: te weinig tegoed",
        "wrong_purse_for_venue": "nee: tegoed mag hier niet",
        "expired": "nee: pas verlopen",
        "blocked": "nee: pas geblokkeerd",
        "other_municipality": "nee: andere gemeente",
        "mac": "de pas of de terminal heeft dit niet getekend",
        "handle": "dit is geen pas van ons",
        "other": "English version below",
    },
    "en": {
        "title": "A week in Gelredam",
        "lead": "From the desk to the bank: what the passes, the venues and the bank show.",
        "right": "Everything adds up: every cent on the passes is in the ledger too.",
        "wrong": "Attention: this does not add up",
        "numbers": "The week in figures",
        "passes": "Passes",
        "taps": "Times a pass was held to a reader",
        "proven": "Proven transactions, loads too",
        "in_doubt": "Not certain yet",
        "loads": "Put on passes",
        "debits": "Spent",
        "balances": "Still on the passes",
        "discounts": "Discounts that the city makes good",
        "recredit": "Due back to holders",
        "paid": "Paid to venues",
        "outcomes": "What the screens said",
        "venues": "What the venues get",
        "funds": "Where the money comes from",
        "quarantine": "What is kept aside and not paid",
        "nothing": "Nothing.",
        "count": "count",
        "euro": "euro",
        "outcome": "outcome",
        "venue": "venue",
        "fund": "fund",
        "kind": "kind",
        "column_loaded": "put on passes",
        "column_spent": "spent",
        "column_outstanding": "still on passes",
        "column_discounts": "discounts",
        "spent": "spent",
        "outstanding": "still on passes",
        "reason": "reason",
        "approved": "yes",
        "torn": "gone too early, again",
        "power_cuts": "power cut",
        "reversals": "put back",
        "not_enough_budget": "no: not enough",
        "wrong_purse_for_venue": "no: budget not for here",
        "expired": "no: pass expired",
        "blocked": "no: pass blocked",
        "other_municipality": "no: other municipality",
        "mac": "not signed by the pass or the terminal",
        "handle": "not a pass of ours",
        "other": "",
    },
}
_LOCALES = {"nl": "nl_NL", "en": "en_IE"}
# English as in Ireland, where money is euro as well.
_CHART_LOCALES: dict[str, Literal["nl-NL", "en-IE"]] = {"nl": "nl-NL", "en": "en-IE"}
_FUND_KINDS = ("spent", "outstanding")

_STYLE = """
body { font: 1.05rem/1.5 "Open Sans", "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff; margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 2rem; margin: 0 0 .25rem; } h2 { font-size: 1.35rem; margin: 2.25rem 0 .5rem; }
.verdict { border-left: .5rem solid #1d6b3a; background: #edf6f0; padding: .75rem 1rem; font-weight: 600; }
.verdict.wrong { border-color: #a3151f; background: #fbeced; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.figures div { border: 1px solid #b9c0c7; border-radius: .4rem; padding: .6rem .9rem; }
.figures dt { font-size: .95rem; } .figures dd { margin: 0; font-size: 1.5rem; font-weight: 600; }
.chart { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.chart svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; } caption { text-align: left; font-size: .95rem; padding-bottom: .25rem; }
th, td { border-bottom: 1px solid #b9c0c7; padding: .3rem .9rem .3rem 0; text-align: left; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
hr { margin: 3rem 0; border: 0; border-top: 3px solid #1a1a1a; }
"""


def write_report(path: Path, summary: dict[str, Any]) -> None:
    """Write the page for a summary."""
    body = "<hr>".join(_section(language, summary) for language in ("nl", "en"))
    path.write_text(
        '<!doctype html>\n<html lang="nl">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_WORDS['nl']['title']}</title>\n<style>{_STYLE}</style>\n</head>\n<body><main>{body}</main></body>\n</html>\n",
        encoding="utf-8",
    )


def _section(language: str, summary: dict[str, Any]) -> str:
    words = _WORDS[language]
    parts = [f"<h1>{words['title']}</h1><p>{words['lead']}</p>", _verdict(words, summary)]
    if words["other"]:
        parts.append(f'<p><a href="#en" lang="en">{words["other"]}</a></p>')
    parts.append(f"<h2>{words['numbers']}</h2>{_figures(language, summary)}")
    parts.append(f"<h2>{words['outcomes']}</h2>{_outcomes(language, summary)}")
    parts.append(f"<h2>{words['venues']}</h2>{_venues(language, summary)}")
    parts.append(f"<h2>{words['funds']}</h2>{_funds(language, summary)}")
    parts.append(f"<h2>{words['quarantine']}</h2>{_quarantine(language, summary)}")
    return f'<section lang="{language}" id="{language}">{"".join(parts)}</section>'


def _verdict(words: dict[str, str], summary: dict[str, Any]) -> str:
    if not summary["violations"]:
        return f'<p class="verdict">✓ {words["right"]}</p>'
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in summary["violations"])
    return f'<div class="verdict wrong">✗ {words["wrong"]}<ul>{sentences}</ul></div>'


def _figures(language: str, summary: dict[str, Any]) -> str:
    counts = {name: format_decimal(summary[name], locale=_LOCALES[language]) for name in ("passes", "taps", "proven")}
    counts["in_doubt"] = f"{summary['in_doubt']} ({_euro(language, summary['in_doubt_cents'])})"
    sums = {
        "loads": summary["loads_cents"],
        "debits": summary["debits_cents"],
        "balances": summary["card_balances_cents"],
        "discounts": sum(venue["discounts"] for venue in summary["venues"]),
        "recredit": summary["recredit_due_cents"],
        "paid": summary["paid_cents"],
    }
    figures = counts | {name: _euro(language, cents) for name, cents in sums.items()}
    items = "".join(f"<div><dt>{_WORDS[language][name]}</dt><dd>{text}</dd></div>" for name, text in figures.items())
    return f'<dl class="figures">{items}</dl>'


def _outcomes(language: str, summary: dict[str, Any]) -> str:
    words = _WORDS[language]
    counts = {"approved": summary["approved"], **summary["declined"]}
    counts |= {name: summary[name] for name in ("torn", "power_cuts", "reversals")}
    rows = [(words.get(name, name), count) for name, count in counts.items() if count]
    # The yes is so much longer than all others that a common scale would hide them.
    chart = _bars(language, [row for row in rows if row[0] != words["approved"]], words["outcome"], words["count"])
    table = _table(words["outcomes"], (words["outcome"], words["count"]), [(name, str(count)) for name, count in rows])
    return _side_by_side(chart, table)


def _venues(language: str, summary: dict[str, Any]) -> str:
    words = _WORDS[language]
    rows = list(summary["venue_owed_cents"].items())
    chart = _bars(language, [(name, cents / 100) for name, cents in rows], words["venue"], words["euro"])
    table = _table(words["venues"], (words["venue"], words["euro"]), [(name, _euro(language, at)) for name, at in rows])
    return _side_by_side(chart, table)


def _funds(language: str, summary: dict[str, Any]) -> str:
    words = _WORDS[language]
    values = [
        {words["fund"]: row["fund"], words["kind"]: words[kind], words["euro"]: row[kind] / 100, "order": at}
        for row in summary["funds"]
        for at, kind in enumerate(_FUND_KINDS)
    ]
    chart = (
        altair.Chart(altair.InlineData(values=values))
        .mark_bar()
        .encode(
            y=altair.Y(f"{words['fund']}:N", title=None, axis=altair.Axis(labelLimit=220)),
            x=altair.X(f"{words['euro']}:Q", title=words["euro"]),
            color=altair.Color(
                f"{words['kind']}:N",
                title=None,
                sort=[words[kind] for kind in _FUND_KINDS],
                scale=altair.Scale(range=["#154273", "#b4cde6"]),
                legend=altair.Legend(orient="bottom"),
            ),
            order="order:Q",
        )
    )
    columns = ("loaded", "spent", "outstanding", "discounts")
    head = (words["fund"], *(words[f"column_{name}"] for name in columns))
    rows = [(row["fund"], *(_euro(language, row[name]) for name in columns)) for row in summary["funds"]]
    return _side_by_side(_svg(language, chart, words["funds"]), _table(words["funds"], head, rows))


def _quarantine(language: str, summary: dict[str, Any]) -> str:
    words = _WORDS[language]
    if not summary["rejected"]:
        return f"<p>{words['nothing']}</p>"
    rows = [(words.get(reason, reason), str(count)) for reason, count in summary["rejected"].items()]
    return _table(words["quarantine"], (words["reason"], words["count"]), rows)


def _bars(language: str, rows: list[tuple[str, float]], name: str, value: str) -> str:
    chart = (
        altair.Chart(altair.InlineData(values=[{name: label, value: number} for label, number in rows]))
        .mark_bar(color="#154273")
        .encode(
            y=altair.Y(f"{name}:N", title=None, sort=None, axis=altair.Axis(labelLimit=220)),
            x=altair.X(f"{value}:Q", title=value),
        )
    )
    return _svg(language, chart, f"{name}, {value}")


def _svg(language: str, chart: altair.Chart, label: str) -> str:
    """The chart as SVG; the table beside it says the same to a screen reader."""
    shown = (
        chart.properties(width=380)
        .configure_axis(labelFontSize=13, titleFontSize=13)
        .configure_legend(labelFontSize=13)
    )
    svg: str = vl_convert.vegalite_to_svg(shown.to_dict(), format_locale=_CHART_LOCALES[language])
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def _table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = "".join(f'<th scope="col"{_numeric(at)}>{escape(text)}</th>' for at, text in enumerate(head))
    body = "".join(
        "<tr>"
        + f'<th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(text)}</td>' for text in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _numeric(column: int) -> str:
    return ' class="number"' if column else ""


def _side_by_side(chart: str, table: str) -> str:
    return f'<div class="chart">{chart}{table}</div>'


def _euro(language: str, cents: int) -> str:
    return str(format_currency(Decimal(cents).scaleb(-2), "EUR", locale=_LOCALES[language]))
