"""Vision transformers: each layer equals a direct forward, in any company; models that are there, half there or not."""

import hashlib
import http.server
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import giqa
from giqa import registry
from giqa.errors import BadShape, BadSpec, BadWeights, MissingExtra, MissingWeights
from giqa.features import hub_models, hub_network
from giqa.features.devices import CHUNK
from giqa.features.hub import Hub, default_layers
from giqa.features.resize import resize
from giqa.testing import check_extractor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
SMALL = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}
REGISTERS = {"num_register_tokens": 3}
TOWER = SMALL | {"intermediate_size": 64}
TEXT = {k: v for k, v in TOWER.items() if k not in ("image_size", "patch_size")} | {"vocab_size": 50000}
SETTINGS = {  # model class, config class, settings, side that pictures are prepared to
    "dinov2": ("Dinov2Model", "Dinov2Config", SMALL, 35),  # not its own 28: places are moved
    "dinov2_with_registers": ("Dinov2WithRegistersModel", "Dinov2WithRegistersConfig", SMALL | REGISTERS, 35),
    "dinov3_vit": ("DINOv3ViTModel", "DINOv3ViTConfig", TOWER | REGISTERS, 35),
    "clip": ("CLIPVisionModel", "CLIPVisionConfig", TOWER, 28),
    "siglip": ("SiglipVisionModel", "SiglipVisionConfig", TOWER, 28),
    "vit": ("ViTModel", "ViTConfig", TOWER, 28),
}
rng = np.random.default_rng(0)
PICTURES = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((40, 40), (33, 57), (28, 28), (20, 64))]


def write_processor(folder, side, **other):
    content = {"size": {"height": side, "width": side}, "image_mean": MEAN, "image_std": STD, "do_center_crop": False}
    (folder / "preprocessor_config.json").write_text(json.dumps(content | other))


def write_model(folder, kind, seed=0, dtype=torch.float32, shards=None, **other):
    network, config, settings, side = SETTINGS[kind]
    torch.manual_seed(seed)
    model = getattr(transformers, network)(getattr(transformers, config)(**settings | other))
    with torch.no_grad():
        for parameter in model.parameters():  # as made, biases are 0 and class tokens too
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.to(dtype).save_pretrained(folder, **({"max_shard_size": shards} if shards else {}))
    write_processor(folder, side)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return {kind: write_model(tmp_path_factory.mktemp(kind), kind) for kind in SETTINGS}


@pytest.fixture
def vit(folders, tmp_path):
    """A model that a test may spoil."""
    return Path(shutil.copytree(folders["vit"], tmp_path / "vit"))


@pytest.fixture(params=SETTINGS)
def kind(request):
    return request.param


def every_layer(folder):
    return Hub(folder, layers=Hub(folder).taps())


# --- the numbers ---


def direct(folder, kind, pixels):
    """What the model says of one picture by its own output_hidden_states, pooled in float64."""
    network, _, settings, side = SETTINGS[kind]
    model = getattr(transformers, network).from_pretrained(folder).float().eval()
    x = (resize(pixels, side) / 255 - np.array(MEAN)) / np.array(STD)
    with torch.no_grad():
        output = model(torch.tensor(x, dtype=torch.float32).permute(2, 0, 1)[None], output_hidden_states=True)
    found = {}
    for number, hidden in enumerate(output.hidden_states[1:], 1):
        tokens = hidden[0].double().numpy()[0 if kind == "siglip" else 1 + settings.get("num_register_tokens", 0) :]
        assert len(tokens) == (side // 7) ** 2
        found |= {f"block_{number}.mean": tokens.mean(0), f"block_{number}.std": tokens.std(0)}
    vector = output.last_hidden_state[0, 0] if kind == "vit" else output.pooler_output[0]
    return found | {"pooled" if kind == "siglip" else "cls": vector.numpy()}


@pytest.mark.slow
def test_every_layer_equals_a_direct_forward(folders, kind):
    rows = every_layer(folders[kind])(PICTURES)
    for i, pixels in enumerate(PICTURES):
        expected = direct(folders[kind], kind, pixels)
        assert list(rows) == list(expected)
        for name, values in expected.items():
            assert rows[name].dtype == np.float32 and rows[name].shape == (len(PICTURES), 32)
            assert np.allclose(rows[name][i], values, rtol=1e-5, atol=1e-5), (name, i)
            assert values.std() > 0.01


def test_a_layer_is_the_same_whatever_else_is_asked_for(folders, kind):
    """Alone, where nothing beyond it is computed, and in another order."""
    folder = folders[kind]
    together = every_layer(folder)(PICTURES[:2])
    for layer in Hub(folder).taps():
        for name, values in Hub(folder, layers=layer)(PICTURES[:2]).items():
            assert np.array_equal(values, together[name])
    backwards = Hub(folder, layers=Hub(folder).taps()[::-1])(PICTURES[:2])
    assert list(backwards) != list(together) and all(np.array_equal(backwards[n], together[n]) for n in together)


def test_nothing_beyond_the_deepest_layer_is_computed_and_a_picture_has_one_thread(folders):
    extract = Hub(folders["dinov2"], layers=["block_3", "block_1"])
    extract(PICTURES[:1])
    network = hub_network.load(extract._found, tuple(extract._found.files().items()), torch.device("cpu"))
    seen, threads = [], torch.get_num_threads()
    hooks = [
        block.register_forward_pre_hook(lambda block, given, n=n: seen.append((n, torch.get_num_threads())))
        for n, block in enumerate(hub_network._blocks(network.model), 1)
    ]
    try:
        torch.set_num_threads(3)
        extract(PICTURES[:2])
    finally:
        torch.set_num_threads(threads)
        for hook in hooks:
            hook.remove()
    assert sorted(seen) == [(1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (3, 1)]


def test_the_part_of_clip_and_siglip_that_sees_is_found_in_the_whole(tmp_path, capfd):
    """A file with both towers gives what the same tower alone gives, and nothing is printed over it."""
    for kind, whole, config in (("clip", "CLIPModel", "CLIPConfig"), ("siglip", "SiglipModel", "SiglipConfig")):
        torch.manual_seed(0)
        settings = getattr(transformers, config)(text_config=TEXT, vision_config=TOWER)
        model = getattr(transformers, whole)(settings).eval()
        model.save_pretrained(tmp_path / kind)
        write_processor(tmp_path / kind, 28)
        extract = Hub(tmp_path / kind, layers=["block_2", "pooled" if kind == "siglip" else "cls"])
        x = torch.from_numpy(extract.prepare(PICTURES[0])).permute(2, 0, 1)[None]
        with torch.no_grad():
            output = model.vision_model(x)
        capfd.readouterr()
        (vector,) = extract(PICTURES[:1])[extract.layers[1]]
        assert capfd.readouterr().err == ""
        assert np.allclose(vector, output.pooler_output[0], atol=1e-5)


def test_a_deviation_far_below_its_mean_survives():
    from giqa.features.hub import _pool

    tokens = 1000 + 0.01 * torch.randn(1, 256, 2, generator=torch.Generator().manual_seed(0))
    mean, std = _pool(tokens, ("mean", "std"))
    assert torch.allclose(std.double(), tokens.double().std(1, correction=0), rtol=1e-2)
    assert torch.allclose(mean.double(), tokens.double().mean(1), rtol=1e-6)


def test_weights_of_half_precision_are_computed_in_float32(tmp_path):
    folder = write_model(tmp_path / "half", "vit", dtype=torch.float16)
    extract = every_layer(folder)
    for name, values in direct(folder, "vit", PICTURES[0]).items():
        assert np.allclose(extract(PICTURES[:1])[name][0], values, rtol=1e-5, atol=1e-5)
    assert extract.identity()["dtype"] == "float32"


def test_weights_in_pieces_are_those_in_one(folders, tmp_path):
    """Every piece counts in the identity; one that is missing is missed."""
    folder = write_model(tmp_path / "pieces", "vit", shards="40KB")
    files = Hub(folder).identity()["files_sha256"]
    assert len(files) > 3 and hub_models.INDEX in files and "model.safetensors" not in files
    whole, pieces = every_layer(folders["vit"])(PICTURES[:1]), every_layer(folder)(PICTURES[:1])
    assert all(np.array_equal(whole[name], pieces[name]) for name in whole)
    (folder / sorted(files)[1]).unlink()
    with pytest.raises(MissingWeights, match="in all its pieces"):
        Hub(folder).identity()


# --- the same bits whatever the batch ---


def same_bits(extract, pictures, counts=(1, 2, 3)):
    prepared = [extract.prepare(p) for p in pictures]
    together = extract.run(prepared)
    threads = torch.get_num_threads()
    try:
        for count in counts:
            torch.set_num_threads(count)
            for order in ([0, 1, 2], [2, 1, 0], [1], [1, 1, 2, 0, 1]):
                rows = extract.run([prepared[i] for i in order])
                for name in together:
                    assert np.array_equal(rows[name], together[name][order]), (name, order, count)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)


def test_the_same_bits_at_every_layer(folders, kind):
    same_bits(every_layer(folders[kind]), PICTURES[:3])


def test_the_same_bits_at_full_width(tmp_path):
    """The size of DINOv2-small, where matrix products take other paths than small ones do; two blocks of twelve."""
    folder = write_model(
        tmp_path / "wide",
        "dinov2",
        hidden_size=384,
        num_attention_heads=6,
        num_hidden_layers=2,
        image_size=518,
        patch_size=14,
    )
    write_processor(folder, 224)
    same_bits(every_layer(folder), PICTURES[:3], counts=(1, 2, 4))


def test_chunks_larger_than_one_are_padded_and_cut(folders, monkeypatch):
    """What a GPU does, here on the CPU: chunks of 3, the last one filled up with zeros."""
    monkeypatch.setitem(CHUNK, "cpu", 3)
    same_bits(every_layer(folders["clip"]), PICTURES[:3])


def test_the_contract_of_extractors_holds(folders, kind):
    check_extractor(lambda: Hub(folders[kind]))


def test_no_pictures_no_rows(folders):
    rows = Hub(folders["vit"])([])
    assert {name: values.shape for name, values in rows.items()} == dict.fromkeys(Hub(folders["vit"]).outputs, (0, 32))


# --- layers and levels ---


def test_the_default_is_a_quarter_half_and_the_end(folders):
    assert default_layers(12, "cls") == ("block_3", "block_6", "block_12", "cls")
    assert default_layers(1, None) == ("block_1",)
    assert default_layers(2, "cls") == ("block_1", "block_2", "cls")
    assert Hub(folders["siglip"]).outputs[-3:] == ("block_4.mean", "block_4.std", "pooled")


def test_levels_are_thirds_of_the_depth_shallow_to_deep(tmp_path):
    folder = write_model(tmp_path / "deep", "vit", num_hidden_layers=6)
    extract = Hub(folder, layers=["cls", "block_6", "block_1", "block_4", "block_3", "block_2", "block_5"])
    assert extract.levels == {
        "low": ("block_1.mean", "block_1.std", "block_2.mean", "block_2.std"),
        "mid": ("block_3.mean", "block_3.std", "block_4.mean", "block_4.std"),
        "high": ("block_5.mean", "block_5.std", "block_6.mean", "block_6.std", "cls"),
    }
    assert Hub(folder, layers="block_3", pooling="mean").levels == {"mid": ("block_3.mean",)}
    for blocks in (4, 12, 24, 27, 32, 40):
        low, mid, high, _ = default_layers(blocks, "cls")
        assert 3 * int(low[6:]) <= blocks < 3 * int(mid[6:]) <= 2 * blocks < 3 * int(high[6:])


def test_siglip_without_its_head_has_blocks_only(tmp_path):
    folder = write_model(tmp_path / "headless", "siglip", vision_use_head=False)
    assert Hub(folder).taps() == ("block_1", "block_2", "block_3", "block_4")
    assert np.isfinite(Hub(folder)(PICTURES[:1])["block_4.std"]).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"layers": ["blok_3"]},
            r"vit.* has no layer 'blok_3'; it has block_1 to block_4, cls\. Did you mean 'block_3'",
        ),
        ({"layers": ["block_5"]}, r"no layer 'block_5'; it has block_1 to block_4, cls"),
        ({"layers": ["block_0"]}, "no layer 'block_0'"),
        ({"layers": "pooled"}, "no layer 'pooled'"),
        ({"layers": [3]}, "no layer 3"),
        ({"layers": []}, "asks for nothing"),
        ({"pooling": "max"}, "mean, std, mean\\+std"),
        ({"resize": "nearest"}, "antialias, released"),
        ({"device": "toaster"}, r"hub\(device=...\) is cpu.*toaster"),
    ],
)
def test_parameters_that_mean_nothing(folders, parameters, message):
    with pytest.raises(BadSpec, match=message):
        Hub(folders["vit"], **parameters)(PICTURES[:1])


def test_the_constructor_stores_and_the_object_travels(folders):
    extract = registry.make("extractor", f"hub(model={str(folders['vit'])!r}, layers=['block_1'])")
    assert extract.layers == ["block_1"]
    expected = extract(PICTURES[:1])
    again = pickle.loads(pickle.dumps(extract))
    assert np.array_equal(again(PICTURES[:1])["block_1.std"], expected["block_1.std"])
    assert "layers=['block_1']" in registry.canonical("extractor", extract)
    Hub(model="nowhere", layers=["nothing"], device="toaster", pooling="none")


# --- preparation ---


def test_the_whole_picture_is_resized_by_giqa_and_normalised_by_the_model(folders):
    prepared = Hub(folders["vit"]).prepare(PICTURES[3])
    assert prepared.shape == (28, 28, 3) and prepared.dtype == np.float32
    assert np.allclose(prepared, (resize(PICTURES[3], 28) / 255 - MEAN) / STD, atol=1e-5)
    released = Hub(folders["vit"], resize="released").prepare(PICTURES[3])
    assert np.allclose(released, (resize(PICTURES[3], 28, "released") / 255 - MEAN) / STD, atol=1e-5)
    with pytest.raises(BadShape, match=r"float32 \(28, 28, 3\), got uint8"):
        Hub(folders["vit"]).run([PICTURES[2]])


@pytest.mark.parametrize(
    "other",
    [
        {"size": 28},
        {"size": [28, 28]},
        {"size": {"shortest_edge": 28}},
        {"size": {"shortest_edge": 32}, "crop_size": {"height": 28, "width": 28}, "do_center_crop": True},
        {"size": 32, "crop_size": 28, "do_center_crop": True},
    ],
)
def test_every_way_to_write_a_size_is_read(vit, other):
    """Of a processor that crops, the size of the crop: what the network sees."""
    write_processor(vit, 28, **other)
    assert Hub(vit).identity()["size"] == [28, 28]


def test_what_is_not_done_to_a_picture_is_not_done_here(vit):
    write_processor(vit, 28, do_rescale=False, do_normalize=False)
    assert np.array_equal(Hub(vit).prepare(PICTURES[2]), PICTURES[2])
    content = (vit / "preprocessor_config.json").read_text()
    (vit / "processor_config.json").write_text(json.dumps({"image_processor": json.loads(content)}))
    (vit / "preprocessor_config.json").unlink()
    assert np.array_equal(Hub(vit).prepare(PICTURES[2]), PICTURES[2])


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        ({"size": None}, BadWeights, "no readable size"),
        ({"size": {"longest_edge": 3}}, BadWeights, "no readable size"),
        ({"image_mean": 0.5}, BadWeights, "no readable size"),
        ({"image_std": [0.5]}, BadWeights, "three channels"),
        ({"image_std": [0.5, 0, 1]}, BadWeights, "three channels"),
        ({"size": 32}, BadSpec, "takes pictures of 28 x 28, but its preprocessor_config.json prepares 32 x 32"),
    ],
)
def test_preparations_that_mean_nothing(vit, other, error, message):
    write_processor(vit, 28, **other)
    with pytest.raises(error, match=message):
        Hub(vit)(PICTURES[:1])


# --- models that are not whole ---


def test_a_model_that_is_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in ("/no/such/folder", "dinov2", "a/b/c", "../x/", ""):
        with pytest.raises(MissingWeights, match=r"not a folder here, nor OWNER/NAME of the hub such as facebook/"):
            Hub(model).outputs  # noqa: B018
    with pytest.raises(BadSpec, match="OWNER/NAME of the hub or a folder, got 5"):
        Hub(5).outputs  # noqa: B018


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("config.json", "no config.json"),
        ("preprocessor_config.json", "no preprocessor_config.json"),
        ("model.safetensors", r"pickled weights are never loaded.*save_pretrained\('FOLDER'\)"),
    ],
)
def test_a_folder_that_lacks_a_file_says_which(vit, lost, message):
    (vit / "pytorch_model.bin").write_bytes(b"a pickle")
    (vit / lost).unlink()
    with pytest.raises(MissingWeights, match=message):
        Hub(vit)(PICTURES[:1])


def test_models_of_another_kind_and_files_that_are_broken(vit, folders):
    settings = (vit / "config.json").read_text()
    code = {"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}
    for text, message in (
        (json.dumps(code), "kind 'mine'; hub knows dinov2, dinov2_with_registers, dinov3_vit, clip"),
        ("{", "JSON"),
        ("[]", "object"),
        (json.dumps(json.loads(settings) | {"num_hidden_layers": "many"}), "cannot be"),
    ):
        (vit / "config.json").write_text(text)
        with pytest.raises(BadWeights, match=message):
            Hub(vit)(PICTURES[:1])
    (vit / "config.json").write_text(settings)
    shutil.copy(folders["clip"] / "model.safetensors", vit)
    with pytest.raises(BadWeights, match=r"not those of ViTModel: \S+ and \d+ more are not there"):
        Hub(vit)(PICTURES[:1])
    (vit / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(BadWeights, match="cannot be loaded as ViTModel"):
        Hub(vit)(PICTURES[:1])


def test_identity_names_the_files_and_changes_with_them(vit, folders):
    identity = Hub(vit).identity()
    assert identity == {
        "extractor": "hub",
        "version": 1,
        "model": "vit",
        "revision": None,
        "files_sha256": {
            name: hashlib.sha256((vit / name).read_bytes()).hexdigest() for name in ("config.json", "model.safetensors")
        },
        "layers": ["block_1", "block_2", "block_4", "cls"],
        "pooling": "mean+std",
        "resize": "antialias",
        "preprocessing": "resize-1",
        "size": [28, 28],
        "scale": 1 / 255,
        "mean": list(MEAN),
        "std": list(STD),
        "dtype": "float32",
    }
    assert Hub(vit, device="cuda").identity() == identity
    extract = Hub(vit)
    before = extract(PICTURES[:1])["cls"]
    network = hub_network.load(extract._found, tuple(identity["files_sha256"].items()), torch.device("cpu"))
    weight = network.model.embeddings.cls_token.clone()
    other = write_model(vit.parent / "other", "vit", seed=1)
    (vit / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())  # into the same file
    assert torch.equal(network.model.embeddings.cls_token, weight)  # what is loaded is not mapped to the file
    assert extract.identity() == Hub(vit).identity() != identity
    after = extract(PICTURES[:1])["cls"]
    assert np.array_equal(after, Hub(other)(PICTURES[:1])["cls"]) and not np.array_equal(after, before)
    for parameters in ({"layers": "cls"}, {"pooling": "std"}, {"resize": "released"}):
        assert Hub(vit, **parameters).identity() != extract.identity()


# --- the hub ---

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(folders, tmp_path, monkeypatch):
    """A hub cache with one model, where nothing can be downloaded."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    place = tmp_path / "cache" / "models--someone--some-vit"
    shutil.copytree(folders["vit"], place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    return place


def test_a_model_in_the_cache_is_taken_without_a_network(cache, folders):
    extract = Hub("someone/some-vit")
    identity = extract.identity()
    assert (identity["model"], identity["revision"]) == ("someone/some-vit", COMMIT)
    assert identity["files_sha256"] == Hub(folders["vit"]).identity()["files_sha256"]
    assert np.array_equal(extract(PICTURES[:1])["cls"], Hub(folders["vit"])(PICTURES[:1])["cls"])
    assert Hub(f"someone/some-vit@{COMMIT}").identity() == identity


def test_a_model_that_is_not_in_the_cache_says_what_to_do(cache):
    advice = r"could not be downloaded \(.+\).*hf download {} --local-dir FOLDER.*hub\(model='FOLDER'\)"
    for model in ("facebook/dinov2-small", "someone/some-vit@other"):
        with pytest.raises(MissingWeights, match=advice.format(model.partition("@")[0])):
            Hub(model)(PICTURES[:1])
    (cache / "snapshots" / COMMIT / "preprocessor_config.json").unlink()
    with pytest.raises(MissingWeights, match="Copy it there"):
        Hub("someone/some-vit").prepare(PICTURES[0])


class FakeHub(http.server.BaseHTTPRequestHandler):
    """As much of huggingface.co as a download asks for."""

    def __init__(self, files, asked, *args):
        self.files, self.asked = files, asked
        super().__init__(*args)

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if path.startswith(("/api/models/someone/some-vit/revision/", "/api/models/someone/some-vit/tree/")):
            entries = [
                {"type": "file", "path": name, "rfilename": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.files.items()
            ]
            whole = {"id": "someone/some-vit", "modelId": "someone/some-vit", "sha": COMMIT, "siblings": entries}
            self.answer(json.dumps(entries if "/tree/" in path else whole).encode())
        elif path.startswith("/someone/some-vit/resolve/"):
            self.answer(self.files[path.rpartition("/")[2]])
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.mark.slow
def test_a_named_model_is_downloaded_once_and_without_pickles_or_code(folders, tmp_path):
    files = {path.name: path.read_bytes() for path in folders["vit"].iterdir()}
    files |= {"pytorch_model.bin": b"a pickle", "modeling_mine.py": b"code", "model.fp16.safetensors": b"another"}
    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(FakeHub, files, asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    code = (
        "import json; from giqa.features.hub import Hub; h = Hub('someone/some-vit');"
        "print(json.dumps(h.identity()['files_sha256'])); print(h.identity()['revision'])"
    )
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    environment.pop("HF_HUB_OFFLINE", None)

    def run():
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
        )

    try:
        first = run()
        resolved = {path.rpartition("/")[2] for path in asked if "/resolve/" in path}
        asked.clear()
        second = run()
    finally:
        server.shutdown()
        server.server_close()
    assert first.returncode == 0, first.stderr
    expected = Hub(folders["vit"]).identity()["files_sha256"]
    assert first.stdout.splitlines() == [json.dumps(expected), COMMIT]
    assert resolved == {"config.json", "preprocessor_config.json", "model.safetensors"}
    assert second.stdout == first.stdout and asked == []


# --- what is not installed ---


def test_without_transformers_or_torch_it_says_what_to_install(folders, monkeypatch):
    for module in ("transformers", "torch"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(MissingExtra, match=r"pip install 'giqa\[hub\]'"):
                Hub(folders["vit"])(PICTURES[:1])
            assert Hub(folders["vit"]).prepare(PICTURES[0]).shape == (28, 28, 3)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(MissingExtra, match=r"pip install 'giqa\[hub\]'"):
            Hub("someone/some-vit").prepare(PICTURES[0])


def test_identity_needs_no_torch(folders):
    code = (
        "import sys; sys.modules['torch'] = None; import json; from giqa.features.hub import Hub;"
        f"print(json.dumps(Hub({str(folders['clip'])!r}).identity()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == Hub(folders["clip"]).identity(), done.stderr


def test_importing_it_loads_neither_torch_nor_transformers():
    code = "import sys, giqa.features.hub; print({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.slow
def test_a_broken_torchvision_shows_itself_and_none_is_needed(folders, tmp_path):
    """transformers imports torchvision where it is installed, and falls over one that does not fit torch."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms is not there')"
    )
    about = tmp_path / "torchvision-0.28.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    code = (
        "import sys, numpy as np; from giqa.features.hub import Hub; from giqa.errors import MissingExtra\n"
        f"try: Hub({str(folders['vit'])!r})([np.zeros((9, 9, 3), np.uint8)])\n"
        "except MissingExtra as error: print(error)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "torchvision::nms is not there" in done.stdout and "not needed" in done.stdout, done.stderr


# --- the main job ---


def test_fit_and_score_with_a_model_file(toy, folders, tmp_path):
    spec = f"hub(model={str(folders['dinov2'])!r})"
    model = giqa.fit(toy[0], extractor=spec, scorer="multilayer(levels=None)")
    scores = giqa.score(toy[1], model=model.save(tmp_path / "reals.giqa"))
    assert len(scores) == 24 and np.isfinite(scores.z).all()
    assert set(model.reals.layers) == set(Hub(folders["dinov2"]).outputs)
    assert np.median(giqa.score(toy[0], model=model).z) > np.median(scores.z)
