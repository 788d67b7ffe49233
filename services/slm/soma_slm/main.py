"""`python -m soma_slm.main`: join the Ray head, deploy, stay, and take the application away at the end."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from soma_slm.effect_journal import EffectJournal
from soma_slm.environment import SettingError
from soma_slm.journal_seal import JournalError
from soma_slm.log_lines import log_line
from soma_slm.settings import Settings, read_settings

EXIT_BAD_SETTING = 2
EXIT_HEAD_GONE = 3
EXIT_DEPLOY = 4
HEAD_MISSES = 3
STATUS_EVERY = 10


class StopWanted(BaseException):
    """SIGTERM or SIGINT. Not an Exception: nothing between here and the signal may take it for a failure."""


def main() -> int:
    """Run until stopped or until the head goes away; return the exit status."""
    began = time.monotonic()
    _on_signals(_raise_stop)
    try:
        settings = read_settings(os.environ)
        _check_journal(settings)
        return _serve(settings, began)
    except SettingError as error:
        log_line("bad-setting", level="error", detail=str(error))
        return EXIT_BAD_SETTING
    except (StopWanted, SystemExit):
        # SystemExit: while ray.init runs, Ray's own handler of SIGTERM is in place. Nothing is deployed yet then.
        return 0


def _check_journal(settings: Settings) -> None:
    """Make the journal, or say at once why it cannot be used: the replica would only tell Ray's log."""
    try:
        EffectJournal(Path(settings.data_dir), settings.journal_rows, settings.journal_mib * 1024 * 1024).close()
    except JournalError as error:
        accepted = f"a folder that this program can write to; {error}"
        raise SettingError("SLM_DATA_DIR", settings.data_dir, accepted) from error


def _serve(settings: Settings, began: float) -> int:
    # Ray is imported late (seconds of work), so that a bad setting is told at once.
    from soma_slm import deploy, ray_head  # noqa: PLC0415

    try:
        address = ray_head.join_head(settings)
        _on_signals(_raise_stop)  # ray.init puts its own handler in place
        health = deploy.deploy(settings)
        seconds = round(time.monotonic() - began, 1)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{settings.port}"
        log_line("ready", url=url, models=health["models"], seconds=seconds)
        _watch(address)
    except ray_head.HeadError as error:
        log_line("head-unavailable", level="error", detail=str(error))
        return EXIT_HEAD_GONE
    except deploy.DeployError as error:
        log_line("deploy-failed", level="error", detail=str(error))
        deploy.remove()
        return EXIT_DEPLOY
    except StopWanted:
        _on_signals(signal.SIG_IGN)  # one is enough; the time of the end is bounded
        confirmed = deploy.remove()
        log_line("stopped", detail=None if confirmed else "the end of the application was not confirmed")
        return 0


def _watch(address: str) -> NoReturn:
    """Return never: raise HeadError when the head is gone, DeployError when the application is."""
    from soma_slm import deploy, ray_head  # noqa: PLC0415

    misses = 0
    turn = 0
    while True:
        time.sleep(1)
        misses = 0 if ray_head.head_answers(address) else misses + 1
        if misses >= HEAD_MISSES:
            raise ray_head.HeadError(f"the Ray head at {address} went away")
        turn += 1
        if turn % STATUS_EVERY == 0 and not misses:
            problem = deploy.application_problem()
            # A head that is going away looks like a missing controller first; it gets its own message.
            if problem and ray_head.head_answers(address):
                raise deploy.DeployError(problem)


def _raise_stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise StopWanted


def _on_signals(handler: signal.Handlers | object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)  # type: ignore[arg-type]


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Not sys.exit: threads of Ray can keep a process alive whose head is gone.
    os._exit(status)
