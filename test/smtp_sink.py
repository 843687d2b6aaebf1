"""A real mail server (Debian's python3-aiosmtpd) that keeps what it is given: each mail is one JSON line on stdout.

smtp_sink.py PORT [CERTIFICATE KEY [USER PASSWORD]]: with a certificate it offers STARTTLS, with a user it demands TLS and AUTH.
Port 0 takes a free one; the first line says which.  Recipients that begin with "gone" are refused for good, with "full" for now.
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("full"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        raw = envelope.content
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None, "user": session.auth_data,
            "headers": {name.lower(): str(value) for name, value in mail.items()}, "text": mail.get_content(),
            "defects": [str(d) for d in mail.defects] + [str(d) for v in mail.values() for d in v.defects],
            "ascii": all(byte < 128 for byte in raw), "longest": max(len(line) for line in raw.split(b"\r\n")),
            "subject_lines": [line.decode() for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if b"=?UTF-8?" in line],
        }), flush=True)
        return "250 taken"


async def main():
    port, rest = int(sys.argv[1]), sys.argv[2:]
    options = {}
    if rest:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rest[0], rest[1])
        options = {"tls_context": context}
    if len(rest) > 2:
        wanted = (rest[2].encode(), rest[3].encode())

        def check(server, session, envelope, mechanism, data):
            ok = (data.login, data.password) == wanted
            return AuthResult(success=ok, auth_data=data.login.decode() if ok else None, handled=ok)

        options |= {"require_starttls": True, "auth_required": True, "authenticator": check}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="sink.test", loop=loop, **options), "127.0.0.1", port)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


asyncio.run(main())
