"""Settings: defaults, and every kind of bad value named in one line."""

import os
import tempfile
import unittest
from pathlib import Path

from soma_slm.environment import SettingError
from soma_slm.settings import is_loopback, read_settings


class SettingsTest(unittest.TestCase):
    def test_defaults(self) -> None:
        settings = read_settings({})
        self.assertEqual((settings.host, settings.port), ("127.0.0.1", 8000))
        self.assertEqual((settings.ray_address, settings.ray_namespace), ("auto", "somagent"))
        self.assertEqual(settings.model_id, "smollm2-135m-instruct")
        self.assertTrue(settings.chat_gguf.endswith(".gguf"))
        self.assertIsNone(settings.embed_gguf)
        self.assertIsNone(settings.identity_url)
        self.assertEqual(settings.audience, "somagent-slm")
        self.assertEqual(settings.data_dir, str(Path("data").absolute()))
        self.assertEqual((settings.journal_rows, settings.journal_mib, settings.repeat_penalty), (200_000, 256, 1.1))

    def test_bad_values_name_their_variable(self) -> None:
        cases = {
            "SLM_PORT": ["0", "65536", "80a", "-1", "", " 8000"],
            "SLM_HOST": ["", "0.0.0.0", "somewhere.example", "10.0.0.1"],  # noqa: S104 - refused
            "RAY_ADDRESS": ["http://127.0.0.1:8000", "127.0.0.1", "host:99999", "ray://host:10001"],
            "RAY_NAMESPACE": [""],
            "SLM_GGUF": ["relative.gguf", "/nowhere/model.gguf", __file__],
            "SLM_EMBED_GGUF": ["/nowhere/model.gguf", os.path.dirname(__file__)],  # noqa: PTH120
            "SLM_MODEL_ID": ["a b", "-x", "x" * 200],
            "SLM_EMBED_MODEL_ID": ["smollm2-135m-instruct"],
            "SLM_SLOTS": ["0", "33", "four"],
            "SLM_QUEUE": ["-1", "257"],
            "SLM_MAX_TOKENS": ["0", "1e3"],
            "SLM_CONTEXT_TOKENS": ["255"],
            "SLM_DATA_DIR": ["", " data"],
            "SLM_JOURNAL_ROWS": ["99", "many"],
            "SLM_JOURNAL_MIB": ["0"],
            "SLM_REPEAT_PENALTY": ["0.9", "2.1", "1,1", "-1", "nan", "1e0"],
            "IDENTITY_SERVICE_URL": ["identity:10002", "ftp://identity", "http://", "http://h:0x", "http://h/?a=b"],
        }
        for variable, values in cases.items():
            for value in values:
                with self.subTest(variable=variable, value=value), self.assertRaises(SettingError) as caught:
                    read_settings({variable: value})
                self.assertEqual(caught.exception.variable, variable)
                self.assertTrue(str(caught.exception).startswith(f"{variable}: found "))
                self.assertNotIn("\n", str(caught.exception))

    def test_url_with_a_password_is_refused_and_not_shown(self) -> None:
        with self.assertRaises(SettingError) as caught:
            read_settings({"IDENTITY_SERVICE_URL": "http://user:canary-7f3a@identity:10002"})
        self.assertNotIn("canary-7f3a", str(caught.exception))

    def test_open_address_needs_the_identity_service(self) -> None:
        env = {"SLM_HOST": "0.0.0.0", "IDENTITY_SERVICE_URL": "http://identity:10002/"}  # noqa: S104
        self.assertEqual(read_settings(env).identity_url, "http://identity:10002")

    def test_full_identity_url_is_cut_to_its_base(self) -> None:
        env = {"IDENTITY_SERVICE_URL": "http://identity:10002/v1/tokens/issue"}
        self.assertEqual(read_settings(env).identity_url, "http://identity:10002")

    def test_another_model_is_named_after_its_file(self) -> None:
        with tempfile.NamedTemporaryFile(prefix="My Model", suffix=".Q8.gguf") as file:
            file.write(b"GGUF rest")
            file.flush()
            settings = read_settings({"SLM_GGUF": file.name})
        self.assertEqual(settings.chat_gguf, file.name)
        self.assertEqual(settings.repeat_penalty, 1)
        self.assertRegex(settings.model_id, r"^my-model[a-z0-9_-]*\.q8$")

    def test_loopback(self) -> None:
        for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
            self.assertTrue(is_loopback(host), host)
        for host in ("0.0.0.0", "::", "localhost.example", "192.168.0.1"):  # noqa: S104
            self.assertFalse(is_loopback(host), host)


if __name__ == "__main__":
    unittest.main()
