"""What an import of something that was left out says."""

import json
import subprocess
from pathlib import Path

import pytest

from routelet_bundler.interpreters import find_interpreter

RUNTIME = Path(__file__).parents[2] / "runtime"

SCRIPT = """
import importlib, importlib.util, json, sys
sys.path.append(sys.argv[1])
from routelet.omitted import tell_of
tell_of({"PIL": "pillow", "google.cloud.storage": "google-cloud-storage"})
said = {}
for name in ("PIL", "PIL.Image", "google.cloud.storage", "nothing", "json"):
    try:
        said[name] = importlib.import_module(name).__name__
    except ModuleNotFoundError as error:
        said[name] = [str(error), error.name]
try:
    from PIL import Image
except ImportError:
    said["guarded"] = True
said["asked"] = importlib.util.find_spec("PIL") is None
print(json.dumps(said))
"""


@pytest.mark.parametrize("minor", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_it_says_which_include_mends_it_and_is_a_missing_module_still(minor: str) -> None:
    python = find_interpreter(minor)
    if python is None:
        pytest.skip(f"no Python {minor} on this machine")
    command = [str(python), "-I", "-S", "-c", SCRIPT, str(RUNTIME)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    text, name = said["PIL.Image"]
    assert name == "PIL"
    told = "No module named 'PIL': pillow was left out of this function; "
    assert said["PIL"] == [told + 'add include = ["pillow"] to the config of its page', "PIL"]
    assert text == said["PIL"][0]
    assert 'include = ["google-cloud-storage"]' in said["google.cloud.storage"][0]
    assert said["nothing"] == ["No module named 'nothing'", "nothing"]
    assert said["json"] == "json"
    assert said["guarded"] is True
    assert said["asked"] is True
