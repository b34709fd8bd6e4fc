"""A name server on loopback, over UDP and TCP: has the records it is given, and fails or is silent where told. Asks nobody.

`with Zone({...}) as zone: zone.resolver()`. A name that it has not does not exist, unless a longer one stands below it.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

SERVFAIL, SILENCE = "SERVFAIL", "SILENCE"
_PLAIN_UDP = 512


def text(whole: str) -> str:
    """Return a TXT record, in pieces of 200 letters as a long one goes over the wire."""
    pieces = [whole[at : at + 200].replace('"', '\\"') for at in range(0, max(len(whole), 1), 200)]
    return "TXT " + " ".join(f'"{piece}"' for piece in pieces)


class Zone:
    """The server. `records`: by name, what stands there ("MX 10 mail.example.org.", `text(whole)`), or SERVFAIL or SILENCE."""

    def __init__(self, records: dict[str, list[str] | str]) -> None:
        self.records = {dns.name.from_text(name): rows for name, rows in records.items()}
        self.asked: list[tuple[str, str]] = []
        self.tcp_count = 0
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket()
        self._tcp.bind(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp.bind(("127.0.0.1", self.port))
        self._tcp.listen()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> Self:
        for sock in (self._udp, self._tcp):
            sock.settimeout(0.02)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def resolver(self) -> dns.resolver.Resolver:
        """Return a resolver that asks this server alone."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        return resolver

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((question.name.to_text(omit_final_dot=True), kind))
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        rows = self.records.get(question.name)
        if rows == SILENCE:
            return None
        if rows == SERVFAIL:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif rows is None:
            if not any(name.is_subdomain(question.name) for name in self.records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        elif found := [row.split(" ", 1)[1] for row in rows if row.split(" ", 1)[0] == kind]:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        return reply

    def _serve_udp(self) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(TimeoutError):
                raw, peer = self._udp.recvfrom(4096)
                reply = self._answer(dns.message.from_wire(raw))
                if reply is None:
                    continue
                if len(wire := reply.to_wire()) > _PLAIN_UDP:
                    reply.answer.clear()
                    reply.flags |= dns.flags.TC
                    wire = reply.to_wire()
                self._udp.sendto(wire, peer)

    def _serve_tcp(self) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(TimeoutError):
                link, _peer = self._tcp.accept()
                with link:
                    link.settimeout(5)
                    query, _at = dns.query.receive_tcp(link)
                    self.tcp_count += 1
                    if reply := self._answer(query):
                        dns.query.send_tcp(link, reply)
