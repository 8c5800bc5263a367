"""One query, one answer, over each transport but UDP: what `over.py` asks through.

A transport keeps its connection for as long as the server does, and `exchange` gives the message that came back, or None.
Certificates are not checked: whoever serves the material makes one for the run.
"""
import asyncio
import http.client
import socket
import ssl
import struct


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Tcp:
    """DNS over TCP, a connection for many queries."""

    port_offset = 0

    def __init__(self, addr, port, timeout):
        self.peer, self.timeout, self.stream = (addr, port + self.port_offset), timeout, None

    def connect(self):
        stream = socket.create_connection(self.peer, timeout=self.timeout)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream

    def close(self):
        if self.stream:
            self.stream.close()
        self.stream = None

    def read(self, count):
        octets = b""
        while len(octets) < count:
            more = self.stream.recv(count - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def exchange(self, wire):
        for _ in range(2):  # the server may have ended the connection since the last query
            is_new = self.stream is None
            try:
                self.stream = self.stream or self.connect()
                self.stream.sendall(struct.pack("!H", len(wire)) + wire)
                return self.read(struct.unpack("!H", self.read(2))[0])
            except (OSError, EOFError) as error:
                self.close()
                if is_new or isinstance(error, TimeoutError):
                    break
        return None


class Tls(Tcp):
    """DNS over TLS (RFC 7858)."""

    port_offset = 1

    def connect(self):
        return tls_context().wrap_socket(super().connect())


class Https:
    """DNS over HTTPS (RFC 8484): POST, over HTTP/1.1."""

    port_offset = 2

    def __init__(self, addr, port, timeout):
        self.connection = http.client.HTTPSConnection(
            addr, port + self.port_offset, timeout=timeout, context=tls_context())

    def close(self):
        self.connection.close()

    def exchange(self, wire):
        for _ in range(2):
            is_new = self.connection.sock is None
            try:
                self.connection.request("POST", "/dns-query", wire, {"Content-Type": "application/dns-message"})
                response = self.connection.getresponse()
                body = response.read()
                return body if response.status == 200 else None
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_new or isinstance(error, TimeoutError):
                    break
        return None


class Quic:
    """DNS over QUIC (RFC 9250): a stream for each query, its ID 0 on the wire."""

    port_offset = 1

    def __init__(self, addr, port, timeout):
        self.peer, self.timeout = (addr, port + self.port_offset), timeout
        self.loop, self.entered, self.client = asyncio.new_event_loop(), None, None

    def close(self):
        if self.entered:
            self.loop.run_until_complete(self.leave())

    async def leave(self):
        entered, self.entered, self.client = self.entered, None, None
        try:
            await asyncio.wait_for(entered.__aexit__(None, None, None), self.timeout)
        except (OSError, asyncio.TimeoutError):
            pass

    async def connect(self):
        from aioquic.asyncio.client import connect
        from aioquic.quic.configuration import QuicConfiguration

        configuration = QuicConfiguration(is_client=True, alpn_protocols=["doq"], verify_mode=ssl.CERT_NONE)
        self.entered = connect(*self.peer, configuration=configuration)
        self.client = await asyncio.wait_for(self.entered.__aenter__(), self.timeout)

    async def ask(self, wire):
        if self.client is None:
            await self.connect()
        reader, writer = await self.client.create_stream()
        writer.write(struct.pack("!H", len(wire)) + wire)
        writer.write_eof()
        # A connection that the server ends is the end of all its streams, with nothing in them.
        answer = await asyncio.wait_for(reader.read(), self.timeout)
        length = struct.unpack("!H", answer[:2])[0] if len(answer) > 2 else None
        return answer[2:] if length == len(answer) - 2 else None

    def exchange(self, wire):
        for _ in range(2):
            is_new = self.client is None
            answer = None
            try:
                answer = self.loop.run_until_complete(self.ask(b"\0\0" + wire[2:]))
            except (OSError, asyncio.TimeoutError):
                pass
            if answer is not None:
                return wire[:2] + answer[2:]
            self.close()
            if is_new:
                break
        return None


TRANSPORTS = {"tcp": Tcp, "tls": Tls, "https": Https, "quic": Quic}
