"""Reports as mail servers write them, made from the specifications and not from our code."""

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: bonjour@atelier-nord.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="AA.1/mx.example.net"

This is a MIME-encapsulated message.

--AA.1/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--AA.1/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4ABC
Arrival-Date: Tue, 24 Nov 2026 10:00:00 +0100 (CET)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.org
Diagnostic-Code: {diagnostic}

--AA.1/mx.example.net
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

From: Atelier Nord <bonjour@atelier-nord.example>
To: {recipient}
Subject: Rendez-vous
Message-ID: {message_id}

Bonjour

--AA.1/mx.example.net--
"""

ARF = """\
From: <feedback@provider.example>
To: <bonjour@atelier-nord.example>
Subject: FW: Offres
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <{recipient}>

--part
Content-Type: message/rfc822
Content-Disposition: inline

From: <bonjour@atelier-nord.example>
To: <{recipient}>
Subject: Offres
Message-ID: {message_id}

Bonjour
--part--
"""

AWAY = """\
From: {recipient}
To: bonjour@atelier-nord.example
Subject: Out of office
Auto-Submitted: auto-replied
In-Reply-To: {message_id}
Content-Type: text/plain

I am away until Monday. 5.1.1
"""


def _wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def bounce(
    message_id: str, recipient: str, status: str = "5.1.1", *, action: str = "failed", diagnostic: str = "smtp; 550 no such user"
) -> bytes:
    """Return a report as Postfix writes it."""
    values = {"message_id": message_id, "recipient": recipient, "status": status, "action": action, "diagnostic": diagnostic}
    return _wire(POSTFIX.format(**values))


def complaint(message_id: str, recipient: str, *, kind: str = "abuse") -> bytes:
    """Return a feedback report (RFC 5965)."""
    return _wire(ARF.format(message_id=message_id, recipient=recipient, kind=kind))


def away(message_id: str, recipient: str) -> bytes:
    """Return the answer of somebody who is on holiday."""
    return _wire(AWAY.format(message_id=message_id, recipient=recipient))
