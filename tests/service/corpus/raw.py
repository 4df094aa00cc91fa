"""Bytes that are no request, or more than one: each with the statuses that may answer it."""

HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
SMUGGLED = b"GET /v1/kinds HTTP/1.1\r\nHost: a\r\n\r\n"
BAD, TOO_LARGE, UNAUTHORIZED = {400}, {431}, {401}

RAW: dict[str, tuple[bytes, set[int]]] = {
    # Two ways to read where it ends
    "length and chunks": (
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        BAD,
    ),
    "chunks and length": (
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        BAD,
    ),
    "two lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", BAD),
    "the same length twice": (HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", BAD),
    "a list of lengths": (HEAD + b"Content-Length: 5, 5\r\n\r\nhello", BAD),
    "a length below nothing": (HEAD + b"Content-Length: -1\r\n\r\n", BAD),
    "a length with a plus": (HEAD + b"Content-Length: +5\r\n\r\nhello", BAD),
    "a length in hexadecimal": (HEAD + b"Content-Length: 0x5\r\n\r\nhello", BAD),
    "a length with a fraction": (HEAD + b"Content-Length: 5.0\r\n\r\nhello", BAD),
    "a length of nothing": (HEAD + b"Content-Length: \r\n\r\n", BAD),
    "a length in words": (HEAD + b"Content-Length: five\r\n\r\nhello", BAD),
    "a length beyond 64 bits": (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", BAD),
    "a length with an underscore": (HEAD + b"Content-Length: 1_0\r\n\r\nhellohello", BAD),
    "an unknown encoding": (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", BAD),
    "chunks that are not last": (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", BAD),
    "two encodings": (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", BAD),
    "an encoding with a tab in its name": (HEAD + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", BAD),
    "an encoding with a space in its name": (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", BAD),
    "an encoding before a vertical tab": (HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", BAD),
    "a chunk without a size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n\r\n", BAD),
    "a chunk of no size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", BAD | UNAUTHORIZED),
    "a chunk below nothing": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", BAD | UNAUTHORIZED),
    "a chunk beyond 64 bits": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", BAD | UNAUTHORIZED),
    "a chunk in 0x": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", BAD | UNAUTHORIZED),
    "a chunk that is too long": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        BAD | UNAUTHORIZED,
    ),
    # Lines
    "bare line feeds": (b"GET /healthz HTTP/1.1\nHost: a\n\n", BAD),
    "one bare line feed": (GET + b"Host: a\nX: b\r\n\r\n", BAD),
    "a bare return": (GET + b"Host: a\rX: b\r\n\r\n", BAD),
    "a folded header": (GET + b"Host: a\r\nX: a\r\n b\r\n\r\n", BAD),
    "a folded first header": (GET + b" X: a\r\nHost: a\r\n\r\n", BAD),
    "a header without a colon": (GET + b"Host: a\r\nnonsense\r\n\r\n", BAD),
    "a header without a name": (GET + b"Host: a\r\n: nonsense\r\n\r\n", BAD),
    "a space in a name": (GET + b"Host: a\r\nX Y: z\r\n\r\n", BAD),
    "a space after a name": (GET + b"Host : a\r\n\r\n", BAD),
    "a NUL in a name": (GET + b"Host: a\r\nX\x00: z\r\n\r\n", BAD),
    "a NUL in a value": (GET + b"Host: a\r\nX: a\x00b\r\n\r\n", BAD),
    "a control character in a value": (GET + b"Host: a\r\nX: a\x01b\r\n\r\n", BAD),
    "a delete in a value": (GET + b"Host: a\r\nX: a\x7fb\r\n\r\n", BAD),
    "a name that is not ASCII": (GET + b"Host: a\r\nX\xe9: z\r\n\r\n", BAD),
    "brackets in a name": (GET + b"Host: a\r\n(X): z\r\n\r\n", BAD),
    # Hosts
    "no host": (GET + b"\r\n", BAD),
    "no host but other headers": (GET + b"X: y\r\nConnection: close\r\n\r\n", BAD),
    "two hosts": (GET + b"Host: a\r\nHost: b\r\n\r\n", BAD),
    "the same host twice": (GET + b"Host: a\r\nHost: a\r\n\r\n", BAD),
    "a host of nothing": (GET + b"Host: \r\n\r\n", BAD),
    "a host with a space": (GET + b"Host: a b\r\n\r\n", BAD),
    "a host with a path": (GET + b"Host: a/b\r\n\r\n", BAD),
    "a host with a user": (GET + b"Host: a@b\r\n\r\n", BAD),
    "a list of hosts": (GET + b"Host: a, b\r\n\r\n", BAD),
    "a host that is not ASCII": (GET + b"Host: \xe9\r\n\r\n", BAD),
    "a host with a port of letters": (GET + b"Host: a:b\r\n\r\n", BAD),
    "a host with two ports": (GET + b"Host: a:1:2\r\n\r\n", BAD),
    "a host of half an address": (GET + b"Host: [::1\r\n\r\n", BAD),
    "a bad host in HTTP/1.0": (b"GET /healthz HTTP/1.0\r\nHost: a b\r\n\r\n", BAD),
    # Request lines
    "HTTP/0.9": (b"GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n", BAD),
    "HTTP/0.9 without headers": (b"GET /healthz HTTP/0.9\r\n\r\n", BAD),
    "a line of HTTP/0.9": (b"GET /healthz\r\n\r\n", BAD),
    "no version": (b"GET /healthz HTTP\r\nHost: a\r\n\r\n", BAD),
    "a version of letters": (b"GET /healthz HTTP/x.y\r\nHost: a\r\n\r\n", BAD),
    "another protocol": (b"GET /healthz HTTQ/1.1\r\nHost: a\r\n\r\n", BAD),
    "a version to come": (b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n", BAD),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    "in small letters": (b"get /healthz http/1.1\r\nHost: a\r\n\r\n", BAD),
    "an unknown method": (b"BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a method of no letters": (b"G\x00T /healthz HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "no method": (b" /healthz HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "no path": (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a path without a slash": (b"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a space in a path": (b"GET /health z HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a NUL in a path": (b"GET /health\x00z HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a tab in a path": (b"GET /health\tz HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a path that is not ASCII": ("GET /v1/jobs/é HTTP/1.1\r\nHost: a\r\n\r\n".encode(), BAD),
    "a path of no UTF-8": (b"GET /v1/jobs/\xff HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a whole URL without a path": (b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a whole URL with a bad port": (b"GET http://b:x/ HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "a star": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {404}),
    # Too much
    "a long header": (GET + b"Host: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", TOO_LARGE),
    "a long name": (GET + b"Host: a\r\n" + b"x" * 100_000 + b": y\r\n\r\n", TOO_LARGE),
    "many headers": (GET + b"Host: a\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", TOO_LARGE),
    "many cookies": (GET + b"Host: a\r\n" + b"Cookie: a=b\r\n" * 5_000 + b"\r\n", TOO_LARGE),
    "a long path": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", TOO_LARGE),
    "a long query": (b"GET /healthz?" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", TOO_LARGE),
    "an endless line": (b"GET /" + b"x" * 3_000_000, TOO_LARGE),
    "an endless header": (GET + b"X: " + b"x" * 3_000_000, TOO_LARGE),
    # No HTTP at all
    "a word": (b"hello\r\n\r\n", BAD),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, BAD),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", BAD),
    "the store's own language": (b"*1\r\n$8\r\nFLUSHALL\r\n", BAD),
    "JSON": (b'{"kind": "chat"}\n', BAD),
    "zeros": (b"\x00" * 1024, BAD),
    "noise": (bytes(range(256)) * 8, BAD),
    "an answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BAD),
    "a proxy's greeting": (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET + b"Host: a\r\n\r\n", BAD),
    # Handshakes of WebSockets that are none
    "a socket without a key": (
        b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n",
        BAD,
    ),
    "a socket with a short key": (
        b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n",
        BAD,
    ),
    "a socket with two keys": (
        b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        BAD,
    ),
    "a socket of another version": (
        b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        {400, 426},
    ),
    "a socket by POST": (
        b"POST /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        {400, 405},
    ),
    "a socket nowhere": (
        b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        {403, 404},
    ),
    "a socket's path without a socket": (b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {404}),
}
