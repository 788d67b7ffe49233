"""The journal: what it gives back, to whom, for how long, and that nothing readable lies on disk."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from soma_slm.effect_journal import EffectJournal, open_database
from soma_slm.journal import list_generations
from soma_slm.journal_seal import JournalError
from soma_slm.openai_errors import ApiError
from test.effect_samples import CALLER, CANARY, MIB, key_of, record_of

SERVICE = Path(__file__).resolve().parent.parent


class JournalTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="soma-journal-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def open(self, rows: int = 1000, size: int = MIB) -> EffectJournal:
        journal = EffectJournal(self.folder, rows, size)
        self.addCleanup(journal.close)
        return journal

    def test_an_outcome_is_there_after_reopening(self) -> None:
        journal = self.open()
        self.assertIsNone(journal.find(key_of("k")))
        self.assertTrue(journal.add(key_of("k"), record_of()))
        journal.close()
        self.assertEqual(self.open().find(key_of("k")), record_of())

    def test_another_body_or_caller_of_the_tenant_is_refused(self) -> None:
        journal = self.open()
        journal.add(key_of("k"), record_of())
        for other in (key_of("k", seed=1), key_of("k", replace(CALLER, step="step-2"))):
            with self.assertRaises(ApiError) as caught:
                journal.find(other)
            self.assertEqual((caught.exception.status, caught.exception.code), (422, "idempotency_key_reused"))
            self.assertNotIn(CANARY, str(caught.exception.body()))

    def test_another_tenant_has_keys_of_its_own(self) -> None:
        journal = self.open()
        journal.add(key_of("k"), record_of("a"))
        stranger = key_of("k", replace(CALLER, tenant="tenant-b"))
        self.assertIsNone(journal.find(stranger))
        self.assertTrue(journal.add(stranger, record_of("b")))
        self.assertEqual(journal.find(key_of("k")), record_of("a"))

    def test_a_second_generation_is_listed_and_changes_nothing(self) -> None:
        journal = self.open()
        self.assertTrue(journal.add(key_of("k"), record_of("first")))
        self.assertFalse(journal.add(key_of("k"), record_of("second")))
        self.assertEqual(journal.find(key_of("k")), record_of("first"))
        self.assertEqual([line["effect_key"] for line in list_generations(self.folder)], [key_of("k").name] * 2)

    def test_kept_for_24_hours(self) -> None:
        now = 1_800_000_000_000
        journal = EffectJournal(self.folder, 1000, MIB, lambda: now)
        self.addCleanup(journal.close)
        journal.add(key_of("k"), record_of())
        now += 24 * 3_600_000 - 1
        self.assertIsNotNone(journal.find(key_of("k")))
        now += 1
        self.assertIsNone(journal.find(key_of("k")))
        self.assertTrue(journal.add(key_of("k"), record_of("new")))
        journal.prune()
        self.assertEqual(len(list(list_generations(self.folder))), 1)

    def test_bounded_in_rows_and_bytes(self) -> None:
        journal = self.open(rows=100, size=MIB)
        for number in range(200):
            journal.add(key_of(f"k{number}"), record_of())
        journal.prune()
        kept = [number for number in range(200) if journal.find(key_of(f"k{number}"))]
        self.assertEqual(kept, list(range(100, 200)))
        journal.close()
        small = self.open(rows=100, size=5_000)
        kept = [number for number in range(200) if small.find(key_of(f"k{number}"))]
        self.assertTrue(0 < len(kept) < 40, kept)
        self.assertEqual(kept, list(range(200 - len(kept), 200)))

    def test_nothing_readable_on_disk_and_for_the_owner_alone(self) -> None:
        journal = self.open()
        journal.add(key_of(CANARY), record_of())
        for path in self.folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path.name)
            content = path.read_bytes()
            for secret in (CANARY, "user-a", "sess-a", "tenant-a"):
                self.assertNotIn(secret.encode(), content, path.name)

    def test_a_changed_or_moved_answer_does_not_open(self) -> None:
        journal = self.open()
        journal.add(key_of("a"), record_of("a"))
        journal.add(key_of("b"), record_of("b"))
        database = open_database(self.folder / "effects.db")
        self.addCleanup(database.close)
        database.execute(
            "UPDATE answers SET sealed = (SELECT sealed FROM answers WHERE key = ?) WHERE key = ?",
            (key_of("a").name, key_of("b").name),
        )
        with self.assertRaises(JournalError):
            journal.find(key_of("b"))

    def test_another_key_is_noticed_at_the_start(self) -> None:
        self.open().close()
        (self.folder / "journal.key").write_bytes(b"x" * 32)
        with self.assertRaisesRegex(JournalError, "not the key"):
            self.open()

    def test_a_key_that_others_can_read_is_refused(self) -> None:
        self.open().close()
        (self.folder / "journal.key").chmod(0o644)
        with self.assertRaisesRegex(JournalError, "chmod 600"):
            self.open()

    def test_a_folder_that_cannot_be_used_is_told(self) -> None:
        (self.folder / "file").write_text("")
        with self.assertRaises(JournalError):
            EffectJournal(self.folder / "file", 100, MIB)


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="soma-journal-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "test.journal_process", str(self.folder), *arguments]
        child = subprocess.Popen(command, cwd=SERVICE, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)  # noqa: S603
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        return child

    def line(self, child: subprocess.Popen[str]) -> str:
        if child.stdout is None:
            raise AssertionError("no output")
        return child.stdout.readline().strip()

    def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(self) -> None:
        acknowledged: list[str] = []
        for round_number in range(3):
            child = self.start("write", f"r{round_number}-")
            acknowledged += [self.line(child) for _ in range(20 + round_number)]
            os.kill(child.pid, signal.SIGKILL)
            rest, _ = child.communicate()
            acknowledged += rest.split("\n")[:-1]  # what it said before it died; the last line may be cut
        journal = EffectJournal(self.folder, 1_000_000, 100 * MIB)
        self.addCleanup(journal.close)
        missing = [name for name in acknowledged if journal.find(key_of(name)) != record_of(name)]
        self.assertEqual(missing, [])
        self.assertGreaterEqual(len(list(list_generations(self.folder))), len(acknowledged))

    def test_two_processes_write_at_once(self) -> None:
        children = [self.start("write", f"{name}-", "60") for name in "abcd"]
        said = [name for child in children for name in child.communicate()[0].split()]
        self.assertEqual(len(said), 240)
        self.assertEqual([child.returncode for child in children], [0, 0, 0, 0])
        journal = EffectJournal(self.folder, 1_000_000, 100 * MIB)
        self.addCleanup(journal.close)
        for name in said:
            self.assertEqual(journal.find(key_of(name)), record_of(name))

    def test_a_key_is_locked_against_other_processes_until_its_holder_is_killed(self) -> None:
        holder = self.start("hold", "k")
        self.assertEqual(self.line(holder), "True")
        self.assertEqual(self.line(self.start("hold", "k")), "False")
        self.assertEqual(self.line(self.start("hold", "other")), "True")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        self.assertEqual(self.line(self.start("hold", "k")), "True")

    def test_the_list_is_read_from_outside_without_texts(self) -> None:
        self.start("write", f"{CANARY}-", "2").communicate()
        (self.folder / "journal.key").unlink()
        command = [sys.executable, "-m", "soma_slm.journal", "list", str(self.folder)]
        listed = subprocess.run(command, cwd=SERVICE, capture_output=True, text=True, check=True)  # noqa: S603
        self.assertEqual(len(listed.stdout.splitlines()), 2)
        self.assertIn(key_of(f"{CANARY}-0").name, listed.stdout)
        self.assertNotIn(CANARY, listed.stdout)
        self.assertEqual(set(next(iter(list_generations(self.folder)))), {
            "effect_key", "at", "outcome", "route", "prompt_tokens", "completion_tokens",
        })  # fmt: skip


if __name__ == "__main__":
    unittest.main()
