"""What is shown of the settings holds no secret."""

import json
from collections.abc import Mapping

from autonomyd.settings.load import make_settings
from autonomyd.settings.redact import public_settings
from autonomyd.settings.service import CheckSettings


def test_secrets_are_masked_and_the_rest_is_there(kinds: Mapping[str, type[CheckSettings]]) -> None:
    web = {
        "control": {"type": "process", "command": ["x", "--port", "80", "--token", "hush-0"], "env": {"DB": "hush-1"}},
        "checks": [
            {"type": "http", "url": "http://host/?token=hush-2", "headers": {"Authorization": "hush-3"}},
            {"type": "http", "url": "http://me:hush-4@host/"},
        ],
    }
    shown = public_settings(make_settings({"services": {"web": web}}, checks=kinds))
    assert "hush" not in json.dumps(shown)
    assert shown["intervals"]["healing_s"] == 30.0
    assert shown["services"]["web"]["control"]["command"] == ["x", "--port", "80", "--token", "***"]
    assert shown["services"]["web"]["control"]["env"] == {"DB": "***"}
    assert shown["services"]["web"]["checks"][0]["url"] == "http://host/?token=***"
    assert shown["services"]["web"]["checks"][1]["url"] == "http://***@host/"
