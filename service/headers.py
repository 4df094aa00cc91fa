"""The headers that every answer bears, whoever gives it."""

EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

UNLESS_GIVEN = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""What an answer bears that does not say otherwise: data is neither a page nor to be kept."""

OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
