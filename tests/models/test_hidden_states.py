"""Hidden states of tiny random networks of the real classes, read by the code that reads the published ones."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models import registry, weights
from phonoscope.models.backends.hidden_states import HiddenStates
from phonoscope.models.protocols import SpeechEncoder
from phonoscope.testing.tiny_speech import KINDS, babble, tiny_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def check_type(encoder: HiddenStates) -> SpeechEncoder:
    """For the type checker: it satisfies its protocol."""
    return encoder


@pytest.fixture(scope="module", params=[*KINDS, "hubert-large", "wavlm-large"])
def model(request, tmp_path_factory) -> Path:
    """A folder of each kind, of the small recipe and of the large one."""
    kind, _, large = request.param.partition("-")
    return tiny_model(tmp_path_factory.mktemp("models") / request.param, kind, large=bool(large))


@pytest.fixture
def hubert(tmp_path) -> Path:
    return tiny_model(tmp_path / "hubert")


def change(path: Path, **values: object) -> None:
    """Set what a JSON file says; None takes it away."""
    said = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))


def test_all_layers_are_those_of_transformers(model):
    import torch
    import transformers

    audio = babble(1.2345)
    encoder = registry.load(str(model))
    network = transformers.AutoModel.from_pretrained(model, dtype=torch.float32).eval()
    if "whisper" in model.name:
        network, scale = network.encoder, transformers.WhisperFeatureExtractor.from_pretrained(model)
        heard = scale(audio, sampling_rate=16000, return_tensors="pt").input_features
    else:
        heard = torch.from_numpy(audio)[None]
    with torch.inference_mode():
        given = network(heard, output_hidden_states=True)
    states, rows = encoder(audio), encoder.rows(len(audio))
    assert states.shape == (encoder.layers, rows, encoder.width) == (3, rows, 16)
    assert states.dtype == np.float32
    for layer, want in enumerate(given.hidden_states[:-1]):
        np.testing.assert_array_equal(states[layer], want[0, :rows].numpy())
    np.testing.assert_array_equal(states[-1], given.last_hidden_state[0, :rows].numpy())


def test_the_last_layer_of_the_large_recipe_is_normalised(tmp_path):
    import torch

    encoder = registry.load(str(tiny_model(tmp_path / "model", large=True)))
    norm = encoder._network.encoder.layer_norm
    with torch.inference_mode():
        norm.weight.fill_(1)
        norm.bias.zero_()
    last = encoder(babble(1))[-1]
    np.testing.assert_allclose(last.mean(1), 0, atol=1e-5)  # transformers 5 leaves this out of its hidden_states
    np.testing.assert_allclose(last.std(1), 1, atol=1e-2)


@pytest.mark.parametrize(("kind", "centre"), [("hubert", 200), ("whisper", 0)])
def test_a_row_is_centred_where_we_say(kind, centre, tmp_path):
    """A click moves most what is centred on it: what enters the transformer, before position and norms blur it."""
    import torch

    encoder = registry.load(str(tiny_model(tmp_path / "model", kind)))
    assert (encoder.hop, encoder.centre) == (320, Fraction(centre))
    if kind == "hubert":
        chain = encoder._network.feature_extractor.conv_layers
        weights = torch.zeros(1, 1, 4000, requires_grad=True)
        through = weights
        for layer in chain:  # the convolutions alone, all their weights alike: what a row sees, and how much of it
            ones = torch.ones(1, 1, *layer.conv.kernel_size)
            through = torch.nn.functional.conv1d(through, ones, stride=layer.conv.stride)
        through[0, 0, 3].backward()
        assert weights.grad is not None
        seen = torch.nonzero(weights.grad[0, 0])[:, 0].numpy()
        assert (seen[0] + seen[-1] + 1) / 2 == centre + 3 * 320
        assert len(seen) == 400
    else:
        quiet = np.zeros(16000, np.float32)
        for row in (3, 20):
            click = quiet.copy()
            click[row * 320] = 1
            mel = encoder._heard(click)[0].numpy()  # (bands, frames), a frame each 160 samples
            bright = np.flatnonzero(mel[:, :100].max(0) > mel.min())
            assert bright.mean() * 160 == row * 320
        conv = encoder._network.conv2
        assert (encoder._network.conv1.stride, conv.stride, conv.kernel_size, conv.padding) == ((1,), (2,), (3,), (1,))


@pytest.mark.parametrize("kind", ["hubert", "whisper"])
def test_rows_are_counted_as_they_come(kind, tmp_path):
    encoder = registry.load(str(tiny_model(tmp_path / "model", kind)))
    for samples in (1, 399, 400, 401, 719, 720, 16000, 80000):
        want = max(0, samples - 400) // 320 + 1 if kind == "hubert" else -(-samples // 320)
        assert encoder(babble(samples / 16000)).shape[1] == encoder.rows(samples) == want
    assert (encoder.rows(80000), encoder.longest) == ((249, None) if kind == "hubert" else (250, 480000))


def test_whisper_takes_30_s_and_no_sample_more(tmp_path):
    encoder = registry.load(str(tiny_model(tmp_path / "model", "whisper")))
    assert encoder(np.zeros(480000, np.float32)).shape[1] == 1500
    with pytest.raises(ValueError, match="takes 480000 samples at once, got 480001"):
        encoder(np.zeros(480001, np.float32))


def test_the_same_sound_gives_the_same_bytes(model):
    first, again = registry.load(str(model)), registry.load(str(model))
    assert first(babble(2)).tobytes() == again(babble(2)).tobytes() == first(babble(2)).tobytes()


def test_weights_in_half_precision_are_run_in_single(hubert):
    import torch
    import transformers

    want = registry.load(str(hubert))(babble(1))
    transformers.AutoModel.from_pretrained(hubert).to(torch.float16).save_pretrained(hubert)
    made = registry.load(str(hubert))(babble(1))
    assert made.dtype == np.float32
    assert np.abs(made - want).max() < 0.05


def test_a_folder_is_known_by_what_it_holds_and_not_by_where_it_lies(hubert, tmp_path):
    card = registry.card_of(str(hubert))
    moved = shutil.copytree(hubert, tmp_path / "elsewhere" / "hubert")
    assert registry.card_of(str(moved)).identity == card.identity
    assert card.identity.startswith("hubert@hubert:")
    assert weights.where(card) == f"folder {hubert}"
    change(moved / "preprocessor_config.json", do_normalize=False)
    assert registry.card_of(str(moved)).identity != card.identity
    assert not registry.load(str(moved)).scaled


def test_a_licence_is_what_the_authors_say(hubert):
    assert registry.card_of(str(hubert)).licence == "as stated by its authors"
    (hubert / "README.md").write_text("---\nlanguage: zh\nlicense: mit\n---\n# A model\nlicense: other\n")
    assert registry.card_of(str(hubert)).licence == "mit"


def test_a_folder_that_is_not_there_or_holds_something_else_is_answered_in_one_line(hubert, tmp_path):
    def refused(name: Path | str) -> str:
        with pytest.raises(UsageError) as caught:
            registry.choose("speech_encoder", str(name))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "there is no folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "it has no config.json" in refused(tmp_path / "empty")
    bert = shutil.copytree(hubert, tmp_path / "bert")
    change(bert / "config.json", model_type="bert")
    assert "holds a 'bert' model; speech is heard by hubert, wav2vec2, wavlm, whisper" in refused(bert)
    (bert / "config.json").write_text("{")
    assert "config.json' is damaged" in refused(bert)
    (hubert / "model.safetensors").rename(tmp_path / "model.safetensors")
    assert "holds no weights" in refused(hubert)
    (hubert / "preprocessor_config.json").unlink()
    assert "preprocessor_config.json is missing" in refused(hubert)
    assert "no model is named for speech" in refused("auto")
    assert "no model is named for speech" in refused("")
    assert "'motion' is a speaking_scorer" in refused("motion")
    assert "or give a model's folder" in refused("qqq")


def test_a_model_in_a_folder_is_nothing_but_a_speech_encoder(hubert):
    with pytest.raises(UsageError, match=r"is a speech_encoder; as a voice_detector there are silero"):
        registry.choose("voice_detector", str(hubert))


def test_weights_of_another_network_or_damaged_ones_are_refused(hubert, tmp_path):
    other = tiny_model(tmp_path / "other", "whisper")
    shutil.copy(other / "model.safetensors", hubert)
    with pytest.raises(UsageError, match=r"are not those of its config: .* is missing or differs"):
        registry.load(str(hubert))
    (hubert / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UsageError, match="does not load"):
        registry.load(str(hubert))


def test_a_pickle_that_would_run_something_is_refused(hubert, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "it ran"),)

    (hubert / "model.safetensors").unlink()
    (hubert / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Evil()}, protocol=2))
    with pytest.raises(UsageError, match="does not load"):
        registry.load(str(hubert))
    assert not (tmp_path / "it ran").exists()


def test_weights_as_older_models_keep_them_are_read(hubert):
    import torch
    import transformers

    want = registry.load(str(hubert))(babble(1))
    network = transformers.AutoModel.from_pretrained(hubert)
    torch.save(network.state_dict(), hubert / "pytorch_model.bin")
    (hubert / "model.safetensors").unlink()
    assert np.array_equal(registry.load(str(hubert))(babble(1)), want)


def test_sound_at_another_rate_and_a_device_that_is_not_there_are_refused(hubert, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_DEVICE", "tpu-of-my-dreams")
    with pytest.raises(UsageError, match="PHONOSCOPE_DEVICE is 'tpu-of-my-dreams', which is not to be had here"):
        registry.load(str(hubert))
    change(hubert / "preprocessor_config.json", sampling_rate=8000)
    with pytest.raises(UsageError, match="hears 8000 samples a second, only 16000 can be given"):
        registry.load(str(hubert))


def test_a_missing_extra_is_one_line_that_names_the_command(hubert, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"this model needs transformers: pip install 'phonoscope\[ssl\]'"):
        registry.choose("speech_encoder", str(hubert))


@pytest.fixture
def asked() -> list[str]:
    """What the hub has been asked for."""
    return []


@pytest.fixture
def hub(hubert, asked, tmp_path) -> Iterator[dict[str, str]]:
    """A hub on this machine that publishes one model, `us/hubert`; what a process must be told to ask it."""
    (hubert / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    (hubert / "tf_model.h5").write_bytes(b"weights for others")

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = self.path.partition("?")[0]
            asked.append(page)
            files = {path.name: path.read_bytes() for path in sorted(hubert.iterdir())}
            name = page.rpartition("/")[2]
            if page in ("/api/models/us/hubert/revision/main", f"/api/models/us/hubert/revision/{COMMIT}"):
                content = json.dumps({"id": "us/hubert", "sha": COMMIT, "siblings": []}).encode()
            elif page == f"/api/models/us/hubert/tree/{COMMIT}":
                tree = [{"type": "file", "path": n, "size": len(c), "oid": f"{n}-1"} for n, c in files.items()]
                content = json.dumps(tree).encode()
            elif page == f"/us/hubert/resolve/{COMMIT}/{name}" and name in files:
                content = files[name]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{name}-1"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_HOME": str(tmp_path / "hub cache"),
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "no_proxy": "127.0.0.1",
        }
        server.shutdown()


ASK = """
import sys
from contextlib import suppress
from urllib.request import urlopen
from phonoscope.core.errors import PhonoscopeError
from phonoscope.models import registry, weights
from phonoscope.testing.tiny_speech import babble
endpoint, *names = sys.argv[1:]
for name in names:
    try:
        registry.choose("speech_encoder", name)
        card = registry.card_of(name)
        print(card.identity, card.licence, weights.where(card) is not None, sep="\\n")
        print(registry.load(name)(babble(1)).tobytes().hex()[:64])
    except PhonoscopeError as error:
        print(type(error).__name__, error)
    with suppress(OSError):
        urlopen(endpoint + "/next")
"""


def ask(environment: dict[str, str], *names: str) -> tuple[list[str], str]:
    """What a process of its own says of models, on its two streams."""
    command = [sys.executable, "-c", ASK, environment["HF_ENDPOINT"], *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines(), done.stderr


def test_a_model_of_a_hub_is_fetched_once_and_known_by_its_commit(hub, hubert, asked, tmp_path):
    want = registry.load(str(hubert))(babble(1)).tobytes().hex()[:64]
    said, fetching = ask(hub, "us/hubert", "us/hubert", f"us/hubert@{COMMIT}")
    about = [f"us/hubert@{COMMIT}", "apache-2.0"]
    assert said == [*about, "False", want, *about, "True", want, *about, "True", want]
    assert fetching.startswith(f"fetching the weights of us/hubert {COMMIT} from the hub (apache-2.0, about 0.0 MB)")
    assert len(fetching.splitlines()) == 1
    assert asked[asked.index("/next") :] == ["/next"] * 3
    assert not [*tmp_path.glob("hub cache/**/tf_model.h5")]


def test_a_hub_that_has_no_such_model_or_does_not_answer_is_one_line(hub):
    for name, environment in (("us/other", hub), ("us/hubert", {**hub, "HF_ENDPOINT": "http://127.0.0.1:1"})):
        (line,), fetching = ask(environment, name)
        assert line.startswith(
            f"{MissingWeights.__name__} there is no folder '{name}', and the hub gives no such model"
        )
        assert line.endswith("give a folder that holds it, or try again where there is a network")
        assert fetching == ""
