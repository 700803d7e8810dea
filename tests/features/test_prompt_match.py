"""Pictures and prompts: cosines equal those of transformers, z is against real pairs, a cut prompt is seen."""

import json

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec, MissingWeights
from giqa.features.hub import Hub
from giqa.features.prompt_match import prompt_match
from giqa.stats import robust_z

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

VISION = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
VISION |= {"image_size": 28, "patch_size": 7}
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "a", "photo", "of", "the", "red", "blue", "cat", "dog", "on", "in", "house"]
TEXT = {k: v for k, v in VISION.items() if "size" not in k or k in ("hidden_size", "intermediate_size")}
TEXT |= {
    "vocab_size": len(WORDS),
    "max_position_embeddings": 8,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
PICTURES = np.random.default_rng(0).integers(0, 256, (24, 30, 40, 3), dtype=np.uint8)
PROMPTS = [" ".join(np.random.default_rng(n).choice(WORDS[4:], 4)) for n in range(24)]
LONG = "a photo of the red cat on the house"


def write_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    made.save(str(folder / "tokenizer.json"))
    return made


@pytest.fixture(scope="module", params=["CLIP", "Siglip"])
def folder(request, tmp_path_factory):
    """A small random network of the same class, saved as those of the hub are."""
    folder = tmp_path_factory.mktemp(request.param)
    config = getattr(transformers, f"{request.param}Config")(text_config=TEXT, vision_config=VISION)
    torch.manual_seed(0)
    getattr(transformers, f"{request.param}Model")(config).save_pretrained(folder)
    preparation = {"size": {"height": 28, "width": 28}, "image_mean": [0.5] * 3, "image_std": [0.3] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation | {"do_center_crop": False}))
    write_tokenizer(folder)
    return folder


@pytest.mark.slow
def test_cosines_are_those_of_the_whole_network(folder):
    """Its own forward of picture and text together, one pair at a time."""
    found = prompt_match(PICTURES[:4], PROMPTS[:4], folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = write_tokenizer(folder)
    for row in range(4):
        ids = tokenizer.encode(PROMPTS[row]).ids
        ids += [0] * (8 - len(ids)) if "Siglip" in type(model).__name__ else []
        pixels = torch.from_numpy(Hub(folder).prepare(PICTURES[row]).transpose(2, 0, 1)[None].copy())
        with torch.no_grad():
            out = model(input_ids=torch.tensor([ids]), pixel_values=pixels)
        cosine = torch.nn.functional.cosine_similarity(out.image_embeds, out.text_embeds).item()
        assert found.cosine[row] == pytest.approx(cosine, abs=1e-5)
    assert found.z is None and found.cut == ("",) * 4
    alone = prompt_match(PICTURES[2:3], PROMPTS[2:3], folder)
    assert alone.cosine[0] == found.cosine[2]


def test_z_is_against_real_pairs(folder):
    found = prompt_match(PICTURES[:3], PROMPTS[3:6], folder, pairs=(PICTURES, PROMPTS))
    real = prompt_match(PICTURES, PROMPTS, folder).cosine
    assert np.array_equal(found.z, robust_z(found.cosine, real))
    assert ((found.percentile > 0) & (found.percentile <= 1)).all()
    with pytest.raises(BadShape, match="at least 20 real pairs, got 5"):
        prompt_match(PICTURES[:1], PROMPTS[:1], folder, pairs=(PICTURES[:5], PROMPTS[:5]))


def test_a_long_prompt_is_cut_and_one_sees_where(folder):
    """Eight tokens with both ends: six words are read."""
    with pytest.warns(UserWarning, match="1 of 2 prompts are longer than the 8 tokens.*cut before 'on the house'"):
        found = prompt_match(PICTURES[:2], ["a cat", LONG], folder)
    assert found.cut == ("", "on the house")
    assert found.cosine[1] == prompt_match(PICTURES[1:2], ["a photo of the red cat"], folder).cosine[0]


def test_what_cannot_be_is_refused(folder, tmp_path):
    with pytest.raises(BadShape, match="has 2 pictures, got 1"):
        prompt_match(PICTURES[:2], ["a cat"], folder)
    with pytest.raises(BadShape, match="got one text"):
        prompt_match(PICTURES[:1], "a cat", folder)
    transformers.ViTModel(transformers.ViTConfig(**VISION)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text((folder / "preprocessor_config.json").read_text())
    with pytest.raises(BadSpec, match="has no text side"):
        prompt_match(PICTURES[:1], ["a cat"], tmp_path)
    (folder / "tokenizer.json").rename(folder / "other.json")
    with pytest.raises(MissingWeights, match=r"has no tokenizer\.json"):
        prompt_match(PICTURES[:1], ["a cat"], folder)
    (folder / "other.json").rename(folder / "tokenizer.json")
