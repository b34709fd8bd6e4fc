"""Keeps web, worker and clock alive: supervisor, that says at once when it stops and when it has stopped. Called by ./run."""

from contextlib import suppress

from supervisor import events, supervisord
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.states import SupervisorStates


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


class Keeper(supervisord.Supervisor):  # type: ignore[misc]
    """Supervisor with words for somebody who waits at the terminal."""

    def runforever(self) -> None:
        """Keep the processes until a signal ends it."""
        events.subscribe(events.SupervisorStoppingEvent, lambda _event: _say("Carnet is stopping…"))
        super().runforever()


def main() -> None:
    """Run what supervisord.conf lists, until Ctrl-C or SIGTERM; everything has ended when this returns. SIGHUP starts anew."""
    _say("Starting…")
    is_first, mood = True, SupervisorStates.RESTARTING
    while mood >= SupervisorStates.RESTARTING:
        options = ServerOptions()
        options.realize()
        options.first, options.test = is_first, False
        with suppress(ExitNow):
            Keeper(options).main()
        options.close_httpservers()
        options.close_logger()
        is_first, mood = False, options.mood
    _say("Carnet has stopped.")


if __name__ == "__main__":
    main()
