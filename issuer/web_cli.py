"""`meedoen issuer serve`: the desk's pages, on the machine with the reader; and the first account."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hardware.pcsc import PcscReader
from hardware.printer import IppPrinter
from issuer.balance import Balance, ask, sealed_table
from issuer.desk import Desk, DeskSecrets
from issuer.letters.office import file_of
from issuer.options import (
    BACKEND,
    DATA,
    SCHEME,
    SECRETS,
    AsJson,
    BackendAddress,
    Data,
    SchemeFile,
    Secrets,
    Vault,
    now,
    open_vault,
    refusals,
    today,
)
from issuer.personalise import Tell
from issuer.printing.artwork import load_artwork
from issuer.printing.check import check_artwork
from issuer.registry import Registry
from issuer.scheme import load_scheme
from issuer.serving import Tls, serve_pages
from issuer.web.accounts import create_administrator
from issuer.web.config import Counter, Oidc, WebConfig

app = typer.Typer()


@app.command()
def serve(
    data: Data = DATA,
    scheme: SchemeFile = SCHEME,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    backend: BackendAddress = BACKEND,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8441,
    reader: Annotated[str, typer.Option(help="Part of the name of the reader, where there are several.")] = "",
    certificate: Annotated[Path | None, typer.Option(help="For other machines: the certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="And its key, PEM.")] = None,
    proxies: Annotated[int, typer.Option(help="How many proxies of our own stand in front.")] = 0,
    artwork: Annotated[Path | None, typer.Option(help="Folder with face.typ and face.toml; ours if not given.")] = None,
    printer: Annotated[str | None, typer.Option(help="Card printer, such as ipp://cardprinter:631/ipp/print.")] = None,
    oidc: Annotated[Path | None, typer.Option(help="JSON with the city's own login.", exists=True)] = None,
) -> None:
    """Serve the desk's pages: on this machine only, or with a certificate to others. Stop with Ctrl-C."""
    if (certificate is None) != (key is None):
        raise typer.BadParameter("A certificate and its key go together.", param_hint="--certificate")
    with refusals():
        config = _config(data, scheme, secret_file, vault, backend, reader)
        faces = load_artwork(artwork)
        check_artwork(faces, config.scheme)
        config = replace(config, artwork=faces, printer=IppPrinter(printer) if printer else None)
        tls = Tls(certificate, key) if certificate and key else None
        own_login = Oidc(**json.loads(oidc.read_text())) if oidc else None
        place = "https://0.0.0.0" if tls else "http://127.0.0.1"
        typer.echo(f"The desk is at {place}:{port}/")
        serve_pages(config, port, tls, proxies, own_login)


@app.command()
def administrator(
    user_name: Annotated[str, typer.Argument(help="What they log in with, such as a.jansen.")],
    full_name: Annotated[str, typer.Argument(help="Their name, for the screen.")],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Make the first account: an administrator, who makes those of the others."""
    with refusals(), Registry.at(data).transaction() as session:
        code = create_administrator(session, user_name, full_name, now())
    if as_json:
        typer.echo(json.dumps({"userName": user_name.lower(), "startCode": code}))
    else:
        typer.echo(f"Log in as {user_name.lower()} with start code {code}; the desk then asks for a password.")


@app.command()
def database(
    address: Annotated[str, typer.Argument(help="Such as postgresql+psycopg://desk@localhost/registry.")],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Keep the registry in a PostgreSQL database, so that several desks share it. Do this before anything else."""
    with refusals():
        Registry.move_to(data, address).close()
    typer.echo(json.dumps({"moved": True}) if as_json else "The registry of this desk is in that database now.")


def _config(data: Path, scheme: Path, secret_file: Path, vault: str | None, backend: str, reader: str) -> WebConfig:
    secret, rules, registry = DeskSecrets.read(secret_file), load_scheme(scheme), Registry.at(data)
    keys = open_vault(secret, vault)

    def desk(by: str, tell: Tell) -> Desk:
        return Desk(registry, rules, secret, keys, os.urandom, now, by, tell)

    def balance(request: bytes, signatures: Sequence[bytes]) -> Balance:
        return ask(request, signatures, keys, sealed_table(backend))

    counter = Counter(desk, lambda: PcscReader(reader), balance)
    return WebConfig(registry, data, rules, now, today, counter=counter, office_file=file_of(scheme))
