"""What a server's no to a recipient means, by the replies that servers really give."""

import pytest

from notifications.providers.base import Outcome, Phase, Result
from notifications.providers.replies import at_rcpt, is_no_mailbox, status_of


@pytest.mark.parametrize(
    ("code", "text", "outcome", "is_branded"),
    [
        (550, "5.1.1 The email account that you tried to reach does not exist", Outcome.FAILED, True),
        (550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown in relay recipient table", Outcome.FAILED, True),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", Outcome.FAILED, True),
        (550, "5.2.1 The email account is disabled", Outcome.FAILED, True),
        (553, "5.1.2 We cannot find this host", Outcome.FAILED, True),
        (550, "No such user here", Outcome.FAILED, True),
        (551, "User not local", Outcome.FAILED, True),
        (553, "mailbox name not allowed", Outcome.FAILED, False),
        (550, "5.4.1 Recipient address rejected: Access denied", Outcome.FAILED, False),
        (550, "5.2.2 mailbox full", Outcome.RETRY, False),
        (552, "storage exceeded", Outcome.RETRY, False),
        (550, "The mailbox is full", Outcome.RETRY, False),
        (550, "5.1.0 Sender denied", Outcome.DOWN, False),
        (553, "5.1.8 Domain of sender address does not exist", Outcome.DOWN, False),
        (550, "5.1.7 Invalid address of the sender", Outcome.DOWN, False),
        (553, "5.7.1 Sender address rejected: not owned by user salon", Outcome.DOWN, False),
        (550, "Verification failed for <salon@x.example>\nSender verify failed", Outcome.DOWN, False),
        (550, "5.4.5 Daily user sending limit exceeded", Outcome.DOWN, False),
        (550, "Your network is blocked", Outcome.DOWN, False),
        (554, "5.7.1 Relay access denied", Outcome.DOWN, False),
        (535, "5.7.8 wrong password", Outcome.DOWN, False),
    ],
)
def test_only_what_names_the_mailbox_is_held_against_an_address(code: int, text: str, outcome: Outcome, is_branded: bool) -> None:
    found, remembered = at_rcpt(code, text)
    assert found is outcome
    assert is_no_mailbox(Result(found, remembered, Phase.RCPT, status=status_of(text))) is is_branded


def test_the_same_words_at_another_step_say_nothing_of_the_mailbox() -> None:
    assert not is_no_mailbox(Result(Outcome.FAILED, "550", Phase.REPLY, status="5.1.1"))
