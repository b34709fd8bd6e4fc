"""A mail server that takes everything at once and keeps nothing: the other end of `bench send`."""

import asyncio


class _Talk(asyncio.Protocol):
    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.is_text = False
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each command, and each text at its final dot."""
        self.buffer += data
        while True:
            if self.is_text:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                self.buffer, self.is_text = self.buffer[end + 5 :], False
                if self.delay:
                    asyncio.get_running_loop().call_later(self.delay, self.transport.write, b"250 ok\r\n")
                else:
                    self.transport.write(b"250 ok\r\n")
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return
            self.buffer = rest
            word = line[:4].upper()
            if word == b"DATA":
                self.is_text = True
                self.transport.write(b"354 go on\r\n")
            elif word == b"QUIT":
                self.transport.write(b"221 bye\r\n")
                self.transport.close()
            elif word == b"EHLO":
                self.transport.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            else:
                self.transport.write(b"250 ok\r\n")


async def _serve(port: int, delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Talk(delay), "127.0.0.1", port)
    await server.serve_forever()


def main(port: int, delay: float) -> None:
    """Serve until terminated."""
    asyncio.run(_serve(port, delay))
