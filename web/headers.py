"""What a browser may do with a page: our own scripts and styles only, no frames, nothing kept."""

from flask import Flask, Response, request
from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

_YEAR = 365 * 24 * 3600


def protect(app: Flask, https: bool) -> None:
    """Set the headers on every answer."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        # The style sheet of the design system holds its icons.
        .img_src("'self'", "data:")
        .connect_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    )
    headers = Secure(
        csp=policy,
        hsts=StrictTransportSecurity().max_age(_YEAR) if https else None,
        xfo=XFrameOptions().deny(),
        xcto=XContentTypeOptions().nosniff(),
        referrer=ReferrerPolicy().same_origin(),
        coop=CrossOriginOpenerPolicy().same_origin(),
    ).headers
    # Files of the app are named with their hash, so they stay; pages are about people, so nothing of them does.
    stays = CacheControl().public().max_age(_YEAR).header_value
    goes = CacheControl().no_store().header_value

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(headers)
        response.headers["Cache-Control"] = stays if request.endpoint == "static" and "v" in request.args else goes
        return response
