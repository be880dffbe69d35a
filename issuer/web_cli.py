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
from issuer.serving import pages_and_api
from issuer.vault_client import VaultClient
from issuer.web.config import Counter, WebConfig
from issuer.web.permissions import RIGHTS
from web.accounts import create_administrator
from web.api import Contact
from web.audit import actor
from web.log import EventLog, log_remarks
from web.oidc import Oidc
from web.serving import Tls
from web.serving import serve as run

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
    contact: Annotated[str, typer.Option(help="E-mail address for questions about the HTTP interface.")] = "",
    oidc: Annotated[Path | None, typer.Option(help="JSON with the city's own login.", exists=True)] = None,
) -> None:
    """Serve the desk's pages: on this machine only, or with a certificate to others. Stop with Ctrl-C."""
    if (certificate is None) != (key is None):
        raise typer.BadParameter("A certificate and its key go together.", param_hint="--certificate")
    with refusals():
        faces = load_artwork(artwork)
        rules = load_scheme(scheme)
        check_artwork(faces, rules)
        secret = DeskSecrets.read(secret_file)
        config = WebConfig(
            Registry.at(data),
            data,
            rules,
            now,
            today,
            https=certificate is not None or proxies > 0,
            proxies=proxies,
            oidc=Oidc(**json.loads(oidc.read_text())) if oidc else None,
            artwork=faces,
            printer=IppPrinter(printer) if printer else None,
            office_file=file_of(scheme),
        )
        config = replace(config, counter=_counter(config, secret, open_vault(secret, vault), backend, reader))
        tls = Tls(certificate, key) if certificate and key else None
        typer.echo(f"The desk is at {'https://0.0.0.0' if tls else 'http://127.0.0.1'}:{port}/")
        # Before the app is made: where nobody listens, Flask writes in a way of its own.
        log_remarks(EventLog(), actor)
        whom = Contact(rules.name, contact, faces.design.help_page)
        run(pages_and_api(config, secret.lists, whom), port, tls)


@app.command()
def administrator(
    user_name: Annotated[str, typer.Argument(help="What they log in with, such as a.jansen.")],
    full_name: Annotated[str, typer.Argument(help="Their name, for the screen.")],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Make the first account: an administrator, who makes those of the others."""
    with refusals(), Registry.at(data).transaction() as session:
        code = create_administrator(session, RIGHTS, user_name, full_name, now())
    if as_json:
        typer.echo(json.dumps({"userName": user_name.lower(), "startCode": code}))
    else:
        typer.echo(f"Start code for {user_name.lower()}: {code}. Choose a password with it on the page /login/start.")


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


def _counter(config: WebConfig, secret: DeskSecrets, keys: VaultClient, backend: str, reader: str) -> Counter:
    def desk(by: str, tell: Tell) -> Desk:
        return Desk(config.registry, config.scheme, secret, keys, os.urandom, now, by, tell)

    def balance(request: bytes, signatures: Sequence[bytes]) -> Balance:
        return ask(request, signatures, keys, sealed_table(backend))

    return Counter(desk, lambda: PcscReader(reader), balance)
