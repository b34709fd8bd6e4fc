"""E-mail as a channel: turns words into a well-formed mail and gives it to the provider in two steps.

Called by dispatch only. The second step, after which a mail cannot be called back, takes the gate's `Send`.
"""

import base64
import binascii
import functools
import hashlib
import re
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, formataddr

from django.utils import timezone
from django.utils.encoding import iri_to_uri

from notifications import eventfile, gate, letter, messageids, sending
from notifications.models import Message
from notifications.providers.base import Envelope, Outcome, Phase, Provider, Ready, Result
from notifications.providers.replies import is_policy
from notifications.providers.wire import in_ascii
from notifications.rendering import Rendered, render
from salon.core.models import Salon

NAME = "email"
_BREAKS = re.compile(r"[\r\n\x00]+")


@dataclass
class Line:
    """One sender's open line to the provider: used by one thread, for one batch after the other."""

    salon: Salon
    provider: Provider
    sender: sending.Sender

    def words(self, message: Message) -> Rendered:
        """Return the words of a message. Raises TemplateError."""
        return render(message, self.salon)

    def write(self, message: Message, words: Rendered) -> Envelope | Result:
        """Return `words` as the mail that goes over the wire. Speaks to nobody."""
        address = in_ascii(self.sender.address)
        if not address.isascii():
            return Result(Outcome.DOWN, "address", Phase.MAIL)
        message_id = message_id_of(message, self.salon, address)
        raw = build(words, message_id=message_id, sender=self.sender)
        return Envelope(message_id, address, in_ascii(words.recipient), raw)

    def prepare(self, mail: Envelope) -> Ready | Result:
        """Go as far as can be gone without saying anything: connect, sign in, name sender and recipient."""
        return self.provider.prepare(mail)

    def send(self, leave: gate.Send, ready: Ready, following: Envelope | None = None) -> Result:
        """Hand the mail over, by leave of the gate. The one `following` may be announced by the way."""
        if not isinstance(leave, gate.Send) or leave.channel != NAME:
            raise TypeError("an e-mail needs the gate's leave")
        result = ready.deliver(following)
        if not isinstance(result.outcome, Outcome):
            raise TypeError("not a result")
        return result

    def may_be_ours(self, result: Result) -> bool:
        """Return whether a permanent no may be meant for us, which only its repetition shows."""
        return is_policy(result)

    def close(self) -> None:
        """Hang up."""
        self.provider.close()


def open_line(salon: Salon) -> Line:
    """Return a line to the provider in force."""
    return Line(salon, sending.provider(), sending.sender(salon))


def message_id_of(message: Message, salon: Salon, sender: str) -> str:
    """Return the Message-ID: the same for every attempt, so that two copies of one mail can be told."""
    return messageids.write(message.pk, salon.instance, in_ascii(sender).rpartition("@")[2] or "localhost")


def build(words: Rendered, *, message_id: str, sender: sending.Sender) -> bytes:
    """Return the mail as it goes over the wire: text and HTML, UTF-8, no line that a value could have added.

    A visit comes along as a file for the calendar where the kind has one.
    """
    mark = binascii.hexlify(hashlib.blake2b(message_id.encode(), digest_size=12).digest()).decode()
    both = _several(
        "alternative", f"=_a{mark}",
        [_part("text/plain", words.body), _part("text/html", letter.dress(words))],
    )  # fmt: skip
    if words.event:
        both = _several("mixed", f"=_m{mark}", [both, _event(words)])
    headers = [
        ("From", _from(sender.name, sender.address)),
        ("To", in_ascii(words.recipient)),
        *([("Reply-To", in_ascii(sender.reply_to))] if sender.reply_to else []),
        ("Subject", _word(words.title)),
        ("Date", _date(timezone.now().replace(microsecond=0))),
        ("Message-ID", message_id),
        ("Content-Language", words.language),
        ("Auto-Submitted", "auto-generated"),
        *_one_click(words.unsubscribe_url),
        ("MIME-Version", "1.0"),
    ]
    head = "".join([f"{name}: {_fold(value)}\r\n" for name, value in headers])
    return head.encode() + both


# Mails of one second have one date.
_date = functools.lru_cache(maxsize=4)(format_datetime)


def _several(kind: str, mark: str, parts: list[bytes]) -> bytes:
    """Return a part of several, with its headers. The mark is made from the Message-ID: no text can hold it by chance."""
    edge = mark.encode()
    body = b"".join([b"--%s\r\n%s\r\n" % (edge, part) for part in parts])
    return b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n%s--%s--\r\n' % (kind.encode(), edge, body, edge)


def _part(kind: str, text: str) -> bytes:
    """Return one text with its headers: as it is where it can go so, else quoted."""
    lines = text.splitlines()
    if is_plain := text.isascii() and max(map(len, lines), default=0) < 900:
        body = ("\r\n".join(lines) + "\r\n").encode()
    else:
        body = binascii.b2a_qp(("\n".join(lines) + "\n").encode(), istext=True).replace(b"\n", b"\r\n")
    how = b"7bit" if is_plain else b"quoted-printable"
    return b'Content-Type: %s; charset="utf-8"\r\nContent-Transfer-Encoding: %s\r\n\r\n%s' % (kind.encode(), how, body)


def _event(words: Rendered) -> bytes:
    """Return the visit as a file, in base64: no server on the way may touch its lines."""
    head = (
        f'Content-Type: text/calendar; charset="utf-8"; method={words.event_method}; name="{eventfile.NAME}"\r\n'
        f'Content-Disposition: attachment; filename="{eventfile.NAME}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(words.event).replace(b"\n", b"\r\n")


def _one_click(url: str) -> list[tuple[str, str]]:
    """Return the two headers by which a mail program stops advertising with one click (RFC 8058); none without an address."""
    if not url:
        return []
    return [("List-Unsubscribe", f"<{iri_to_uri(_one_line(url))}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]


@functools.lru_cache(maxsize=8)
def _from(name: str, address: str) -> str:
    return formataddr((_one_line(name), in_ascii(address)))


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _fold(value: str) -> str:
    """Return a header's value without a line break that is not its own folding."""
    if "\n" not in value and "\x00" not in value:
        return value
    return re.sub(r"\r?\n(?![ \t])", " ", value).replace("\x00", "")


def _word(text: str) -> str:
    clean = _one_line(text)
    return clean if clean.isascii() and len(clean) < 200 else Header(clean, "utf-8", maxlinelen=76).encode(linesep="\r\n")
