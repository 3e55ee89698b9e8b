"""A name server on 127.0.0.1, over UDP and TCP: a zone that can be changed, and a silence that can be kept."""

import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]


class DnsStandin:
    """Use it as a context. `zone`: ("example.com", "MX") -> ["10 mail.example.com."]."""

    def __init__(self, zone: Zone) -> None:
        self.zone = dict(zone)
        self.silent = False
        self.refusal: dns.rcode.Rcode | None = None
        self.asked: list[tuple[str, str]] = []
        """("udp", "example.com. A"), in order."""
        self._tcp, self._udp = self._servers()
        self.at = f"127.0.0.1:{self._udp.server_address[1]}"
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
            for server in (self._tcp, self._udp)
        ]

    def _servers(self) -> "tuple[_Tcp, _Udp]":
        """On one port. A port that is free for TCP may be somebody's for UDP."""
        while True:
            tcp = _Tcp(("127.0.0.1", 0), _over_tcp(self))
            try:
                return tcp, _Udp(tcp.server_address[:2], _over_udp(self))
            except OSError:
                tcp.server_close()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def answer(self, wire: bytes, over: str) -> bytes:
        """Empty for silence. What is too long for UDP is cut and marked so."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((over, f"{question.name} {dns.rdatatype.to_text(question.rdtype)}"))
        if self.silent:
            return b""
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if self.refusal is not None:
            reply.set_rcode(self.refusal)
        elif not self._fill(reply, question.name, dns.rdatatype.to_text(question.rdtype)):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        packed = reply.to_wire()
        if over == "udp" and len(packed) > 512:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            packed = reply.to_wire()
        return packed

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str) -> bool:
        """Whether there is such a name."""
        known = name.to_text(omit_final_dot=True).lower()
        alias = self.zone.get((known, "CNAME"))
        if alias and kind != "CNAME":
            reply.answer.append(dns.rrset.from_text_list(name, 300, "IN", "CNAME", alias))
            self._fill(reply, dns.name.from_text(alias[0]), kind)
            return True
        if records := self.zone.get((known, kind)):
            reply.answer.append(dns.rrset.from_text_list(name, 300, "IN", kind, list(records)))
        return any(each == known for each, _ in self.zone)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


def _over_udp(standin: DnsStandin) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            if packed := standin.answer(wire, "udp"):
                sock.sendto(packed, self.client_address)

    return Handler


def _over_tcp(standin: DnsStandin) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            packed: Any = standin.answer(self.rfile.read(length), "tcp")
            self.wfile.write(struct.pack("!H", len(packed)) + packed)

    return Handler
