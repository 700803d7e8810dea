"""The HTML report as a file: it stands alone, escapes everything, hides what it is told to, and is whole or absent."""

import base64
import dataclasses
import io
import json
import re
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from giqa.errors import BadShape
from giqa.images.thumbnail import thumbnail
from giqa.report.report import write_report
from giqa.report.result import Neighbour, Report
from giqa.tables.write import CALL

HOSTILE = "</script><img src=x onerror=alert(1)>"


def painting(rng, quality=1.0, side=128):
    """A procedural still life: a sky, a sun and hills; lower quality adds noise, blocks and tilted colours."""
    y, x = np.mgrid[0:side, 0:side] / side
    hue = rng.uniform(0.3, 1, (3, 3))
    pixels = hue[0] * (1 - y[..., None]) + hue[1] * y[..., None]
    pixels[(x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.15, 0.4)) ** 2 < rng.uniform(0.005, 0.02)] = (
        1,
        0.95,
        0.8,
    )
    for level in (0.6, 0.8):
        ridge = level + 0.08 * np.sin(x * rng.uniform(4, 14) + rng.uniform(0, 6))
        pixels[y > ridge] = hue[2] * (1.1 - level)
    damage = 1 - quality
    blocks = np.kron(rng.normal(0, 0.5, (8, 8, 3)), np.ones((side // 8, side // 8, 1)))
    return (np.clip(pixels + damage * (blocks + rng.normal(0, 0.4, pixels.shape)), 0, 1) * 255).astype(np.uint8)


def make_report(n=12, n_real=30, *, failed=1, copies=1, seed=0, spread=2.0, distinct=60):
    """A report of `n` procedural pictures; the last `failed` have no score, the first `copies` copy a real."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, spread, n)
    z[:copies] = 3 + np.arange(copies)
    held_out_z = rng.normal(0, 1, n_real)
    percentile = (1 + (held_out_z[None, :] <= z[:, None]).sum(1)) / (n_real + 1)
    columns = {"score": 40 + 7 * z, "z": z, "percentile": percentile, "z_low": z - 0.4, "z_high": z + 0.3}
    columns = {name: np.where(np.arange(n) < n - failed, values, np.nan) for name, values in columns.items()}
    pictures = [
        thumbnail(painting(rng, np.clip(1 + value / 9, 0, 1))) for value in np.quantile(z, np.linspace(0, 1, distinct))
    ]
    order = np.minimum(distinct - 1, distinct * np.argsort(np.argsort(z)) // n)
    reals = [f"reals/portrait {row:04d}.jpg" for row in range(n_real)]
    ids = [f"samples/seed{row:05d}.png" for row in range(n)]
    return Report(
        title="DCGAN, epoch 40",
        ids=ids,
        columns=columns,
        n_real=n_real,
        flags={
            "duplicate_of": [reals[row] if row < copies else "" for row in range(n)],
            "error": ["" if row < n - failed else f"cannot read {ids[row]}: the file ends early" for row in range(n)],
            "notes": ["converted from CMYK" if row == 1 else "" for row in range(n)],
        },
        held_out_z=held_out_z,
        thumbnails=[None if row >= n - failed else pictures[order[row]] for row in range(n)],
        neighbours=[
            [] if row >= n - failed else [Neighbour((row + 7 * k) % n_real, 1.5 + 0.31 * k) for k in range(5)]
            for row in range(n)
        ],
        real_ids=reals,
        real_thumbnails={row: thumbnail(painting(rng)) for row in range(n_real)},
        made_by={
            "giqa": "0.1.0",
            "scorer": "multilayer(preset='recommended')",
            "extractor": {"spec": "embedded(weights='/home/hopper/nets/small.onnx')", "digest": "sha256:9f2c41d07be3"},
            "reference": "/home/hopper/my reals",
            "seed": 0,
        },
    )


@pytest.fixture(scope="module")
def report():
    return make_report()


def page_of(tmp_path, report, **switches):
    return write_report(tmp_path / "report.html", report, **switches).read_text("utf-8")


def data_of(page):
    """What the page's script reads, as a JSON parser sees it."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def with_columns(report, **columns):
    return dataclasses.replace(report, columns={**report.columns, **columns})


def test_file_stands_alone(tmp_path, report):
    """The file names no outside host and loads nothing: every src and href is inside it."""
    page = page_of(tmp_path, report)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\")", page)  # the one is SVG's name, not an address
    assert "//" not in re.sub(r"(?m)// .*$|https?://www\.w3\.org|base64,[^\"]*|\"[A-Za-z0-9+/=]{40,}\"", "", page)
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", page) == ["data:,"]
    assert "@import" not in page and "url(" not in page


def test_policy_allows_only_what_the_file_holds(tmp_path, report):
    """The policy forbids everything by default, and names style and script by the digest of their text."""
    page = page_of(tmp_path, report)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data: blob:; ")
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]* (?:style|on\w+)=", page.split('<script type="application/json"')[0])


@pytest.mark.parametrize("switches", [{}, {"show_reals": False}, {"show_paths": False}])
def test_hostile_names_stay_text(tmp_path, report, switches):
    """A name that is markup is never markup in the file, wherever it is given."""
    n = len(report.ids)
    hostile = dataclasses.replace(
        report,
        title=HOSTILE,
        ids=[f"{HOSTILE}{row}" for row in range(n)],
        flags={name: [f"{HOSTILE} {name}"] * n for name in ("duplicate_of", "error", "notes")},
        real_ids=[f"{HOSTILE}r{row}" for row in range(30)],
        made_by={HOSTILE: HOSTILE, "nested": {"list": [HOSTILE]}},
    )
    page = page_of(tmp_path, hostile, **switches)
    assert "<img" not in page
    assert page.count("</script>") == 2
    if not switches:
        assert data_of(page)["ids"][0] == HOSTILE + "0"


def test_names_that_are_not_unicode_are_written(tmp_path, report):
    """A file name of bytes that decode to no text does not stop the report."""
    odd = dataclasses.replace(report, ids=[f"a\udcff{row}.png" for row in range(len(report.ids))])
    assert data_of(page_of(tmp_path, odd))["ids"][3] == "a\udcff3.png"


def test_hidden_reals_are_nowhere_in_the_file(tmp_path, report):
    """show_reals=False leaves no id, picture or distance of a real, also not in flags, reasons and made_by."""
    told = dataclasses.replace(
        report,
        flags={**report.flags, "notes": [f"near {report.real_ids[3]}"] * len(report.ids)},
        made_by={"first": report.real_ids[0]},
    )
    page = page_of(tmp_path, told, show_reals=False)
    assert "portrait" not in page
    for picture in report.real_thumbnails.values():
        assert base64.b64encode(picture).decode() not in page
    data = data_of(page)
    assert data["neighbours"] == [] and data["reals"] == {}
    assert data["flags"]["duplicate_of"] == {"0": "a real picture"}
    assert data["ids"][0] == "samples/seed00000.png" and data["thumbnails"][0]


def test_hidden_pictures_are_nowhere_in_the_file(tmp_path, report):
    """show_thumbnails=False leaves no picture bytes, of fakes or of reals; names and numbers stay."""
    page = page_of(tmp_path, report, show_thumbnails=False)
    for picture in [*report.thumbnails, *report.real_thumbnails.values()]:
        assert picture is None or base64.b64encode(picture).decode()[:60] not in page
    assert "UklGR" not in page  # how every WebP begins in base64
    data = data_of(page)
    assert data["reals"]["0"] == ["reals/portrait 0000.jpg", None] and data["neighbours"][0]


def test_hidden_paths_are_nowhere_in_the_file(tmp_path, report):
    """show_paths=False leaves row numbers for ids, and no path in flags, reasons, title or made_by."""
    told = dataclasses.replace(report, title="/home/hopper/samples, epoch 40")
    page = page_of(tmp_path, told, show_paths=False)
    for secret in ("seed0", "portrait", "hopper", "my reals", "small.onnx", "samples"):
        assert secret not in page, secret
    data = data_of(page)
    assert data["ids"][:2] == ["row 1", "row 2"]
    assert data["reals"]["7"][0] == "real 8"
    assert data["flags"]["duplicate_of"] == {"0": "real 1"}
    assert data["flags"]["error"] == {"11": "cannot read row 12: the file ends early"}
    assert "multilayer(preset=&#39;recommended&#39;)" in page and "sha256:9f2c41d07be3" in page


@pytest.mark.parametrize(
    "text",
    [
        "cannot open '/home/hopper/my pics/secret 1.png'",
        r"C:\Users\hopper\secret.png: no such file",
        "read from ~/hopper/my secret pics/x y.png failed",
        "s3://hopper/secret",
        "secret.hopper.npz ends early",
    ],
)
def test_paths_in_reasons_are_recognised(tmp_path, report, text):
    """show_paths=False takes paths out of a reason, quoted, with spaces, of Windows or of a bucket."""
    told = dataclasses.replace(report, flags={"error": [text] * len(report.ids)})
    page = page_of(tmp_path, told, show_paths=False)
    assert "hopper" not in page and "secret" not in page


def test_numbers_have_six_digits_and_no_nan(tmp_path, report):
    """Numbers are rounded to six significant digits; NaN is null, the infinities are words."""
    z = np.array([1 / 3, 123456.789, np.nan, np.inf, -np.inf, *np.zeros(7)])
    data = data_of(page_of(tmp_path, with_columns(report, z=z)))
    assert data["z"][:6] == [0.333333, 123457.0, None, "inf", "-inf", 0.0]
    assert data["score"][-1] is None


def test_write_is_whole_or_nothing(tmp_path, report, monkeypatch):
    """A write that fails leaves the earlier file as it was and no other file beside it."""
    path = tmp_path / "report.html"
    path.write_text("earlier")

    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr("giqa.files.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, report)
    assert path.read_text() == "earlier"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_same_report_same_bytes(tmp_path, report):
    """The same report is the same file, byte for byte, and missing folders are made."""
    one = write_report(tmp_path / "a" / "one.html", report)
    assert one.read_bytes() == write_report(tmp_path / "two.html", report).read_bytes()


def test_key_figures_are_these_numbers(tmp_path):
    """The tiles say both shares and the median z without the copy, copies and failures."""
    columns = {
        "score": np.array([1.0, 2, 3, 4, np.nan]),
        "z": np.array([-3.0, -2, -1, 0.5, np.nan]),
        "percentile": np.array([0.01, 0.05, 0.21, 0.7, np.nan]),  # ranks 12, 62 and 259: 0, .25 and 1 within
    }
    few = Report("t", list("abcde"), columns, 1234, flags={"duplicate_of": ["", "", "", "r", ""]})
    figures = re.findall(r'class="figure">([^<]*)<', page_of(tmp_path, few))
    assert figures == ["42 %", "9 %", "−2.00", "1", "1"]
    assert "4 pictures scored against 1,234 real pictures; copies of reals are left out of all shares." in page_of(
        tmp_path, few
    )


def test_histogram_counts_everything_once(tmp_path, report):
    """Every z is in one bar; what lies outside the axis is in the end bars and counted."""
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(-5, 1, 500), [-900.0, -np.inf, np.inf, np.nan]])
    n = z.size
    wide = Report("t", [str(row) for row in range(n)], {"score": z, "z": z}, 300, held_out_z=rng.normal(0, 1, 300))
    histogram = data_of(page_of(tmp_path, wide))["histogram"]
    assert sum(histogram["fakes"]) == 503 and sum(histogram["reals"]) == 300
    assert histogram["outside"] == [2, 1, 0, 0]
    assert not histogram["compressed"] and -20 < histogram["edges"][0] < -7
    far = data_of(page_of(tmp_path, with_columns(wide, z=z - 80)))["histogram"]
    assert far["compressed"] and sum(far["fakes"]) == 503


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, 1e300, -5.0])
@pytest.mark.parametrize("n", [1, 5])
def test_degenerate_scores_are_written(tmp_path, n, value):
    """One picture, equal, missing, infinite or absurd scores: still a report."""
    columns = {name: np.full(n, value) for name in ("score", "z", "z_low", "z_high")}
    same = Report("t", [f"i{row}" for row in range(n)], {**columns, "percentile": np.full(n, 0.5)}, 3)
    page = page_of(tmp_path, dataclasses.replace(same, held_out_z=np.zeros(3)))
    assert ("the score is not a number" in page) == bool(np.isnan(value))
    assert data_of(page_of(tmp_path, same))["held_out"] == 0


def test_no_pictures_at_all_is_a_report(tmp_path):
    """An empty set of pictures gives a page that says so."""
    page = page_of(tmp_path, Report("t", [], {"score": np.empty(0)}, 10))
    assert "0 pictures scored against 10 real pictures" in page and data_of(page)["histogram"] is None


def test_many_failures_are_listed_in_part(tmp_path):
    """The table of failures stops at 100 rows and says how many there are beyond it."""
    page = page_of(tmp_path, Report("t", [f"i{row}" for row in range(250)], {"score": np.full(250, np.nan)}, 9))
    assert page.count("<td>i") == 100 and "150 more" in page


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"thumbnails": [b"x"]}, "12 ids but 1 thumbnails"),
        ({"columns": {"z": np.zeros(12)}}, "needs a column 'score'"),
        ({"columns": {"score": np.zeros(3)}}, "12 ids but 3 score"),
        ({"neighbours": [[Neighbour(99, 1.0)]] * 12}, "real rows 99 to 99, but there are 30"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, report, wrong, words):
    """A part of the wrong length is refused in words, before a file is written."""
    with pytest.raises(BadShape, match=words):
        write_report(tmp_path / "report.html", dataclasses.replace(report, **wrong))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape, expected", [((512, 256), (48, 96)), ((20, 40), (40, 20)), ((3, 900), (96, 1))])
def test_thumbnail_fits_and_is_not_enlarged(shape, expected):
    """A thumbnail is WebP, its longest side is at most 96, and a small picture keeps its size."""
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    image = Image.open(io.BytesIO(thumbnail(pixels)))
    assert image.format == "WEBP" and image.size == expected


def test_thumbnail_is_small_and_faithful():
    """A natural picture takes less than 2 KB and stays the same picture."""
    pixels = painting(np.random.default_rng(1), side=256)
    code = thumbnail(pixels)
    back = np.asarray(Image.open(io.BytesIO(code)).convert("RGB"), float)
    expected = np.asarray(Image.fromarray(pixels).resize((96, 96), Image.Resampling.BOX), float)
    assert len(code) < 2000 and np.abs(back - expected).mean() < 6


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_thumbnail_refuses_other_arrays(pixels):
    """Only uint8 (h, w, 3) with pixels in it is a picture."""
    with pytest.raises(BadShape, match="uint8"):
        thumbnail(pixels)


def test_out_of_domain_is_shown_where_it_is_known(tmp_path, report):
    """A tile with the number, a choice in the gallery, and the rows that the script marks; nothing of it otherwise."""
    domain = ["yes" if row in (2, 5) else "" if row == 11 else "no" for row in range(12)]
    page = page_of(tmp_path, dataclasses.replace(report, flags={**report.flags, "out_of_domain": domain}))
    assert data_of(page)["flags"]["out_of_domain"] == {"2": "yes", "5": "yes"}
    assert re.search(r'<h2>Out of domain</h2><p class="figure">2</p>', page) and 'id="n-foreign"' in page
    called_no = dataclasses.replace(report, flags={**report.flags, "duplicate_of": ["no"] + [""] * 11})
    assert data_of(page_of(tmp_path, called_no))["flags"]["duplicate_of"] == {"0": "no"}
    none = page_of(tmp_path, dataclasses.replace(report, flags={**report.flags, "out_of_domain": ["no"] * 12}))
    assert "all show what the reals show" in none
    unknown = page_of(tmp_path, dataclasses.replace(report, flags={**report.flags, "out_of_domain": [""] * 12}))
    for silent in (page_of(tmp_path, report), unknown):
        assert "<h2>Out of domain" not in silent and 'id="n-foreign"' not in silent


def test_of_damaged_pictures_the_content_is_unclear(tmp_path, report):
    """Two are flagged: the soft one may be flagged for that, the other shows something else."""
    domain = ["yes" if row in (2, 5) else "no" for row in range(12)]
    flags = {"out_of_domain": domain, "reason": ["softness" if row == 2 else "structure" for row in range(12)]}
    page = page_of(tmp_path, dataclasses.replace(report, flags={**report.flags, **flags}))
    assert re.search(r'<h2>Out of domain</h2><p class="figure">1</p>', page) and 'id="n-unclear"' in page
    assert "1 more may, but look too damaged to say" in page


def test_flags_survive_what_is_hidden(tmp_path, report):
    """Reals called "yes" and "grain" do not turn flags into names."""
    flags = {"out_of_domain": ["yes"] * 12, "reason": ["grain"] * 12}
    named = dataclasses.replace(report, flags=flags, real_ids=["yes", "grain", *report.real_ids[2:]])
    for switches in ({"show_reals": False}, {"show_paths": False}):
        flags = data_of(page_of(tmp_path, named, **switches))["flags"]
        assert flags["out_of_domain"]["3"] == "yes" and flags["reason"]["3"] == "grain"


def test_detail_and_the_reason_are_there_where_they_are_known(tmp_path, report):
    known = {**report.columns, "detail": np.r_[-2.5, np.nan, np.zeros(10)]}
    reasons = ["softness", *[""] * 11]
    more = dataclasses.replace(report, columns=known, flags={**report.flags, "reason": reasons})
    data = data_of(page_of(tmp_path, more))
    assert data["detail"][:3] == [-2.5, None, 0.0] and data["flags"]["reason"] == {"0": "softness"}
    data = data_of(page_of(tmp_path, report))
    assert data["detail"] is None and data["flags"]["reason"] == {}


@pytest.mark.parametrize("switch", ["show_reals", "show_paths"])
def test_twins_strays_and_groups_are_counted_without_names(tmp_path, report, switch):
    """What `made_by` says of the reals keeps its counts, and names them only where they may be named."""
    of_reals = {
        "twins": {"count": 3, "ids": ["gauss"], "left_out": False},
        "strays": {"count": 1, "ids": ["noether"], "left_out": True},
        "groups": {"column": "person", "of": {"hilbert": {"reals": 12, "median_z": -0.3, "low": False}}},
    }
    told = dataclasses.replace(report, made_by=of_reals)
    page = page_of(tmp_path, told)
    assert all(name in page for name in ("gauss", "noether", "hilbert"))
    page = page_of(tmp_path, told, **{switch: False})
    assert not any(name in page for name in ("gauss", "noether", "hilbert"))
    assert "twins › count" in page


def test_a_doubt_takes_p_real_out_of_the_headline(tmp_path):
    """The caution stands on top; tile, order and captions are without p_real; the numbers stay in the data."""
    report = make_report()
    columns = {
        **report.columns,
        **{name: np.linspace(0.1, 0.9, 12) for name in ("p_real", "p_real_low", "p_real_high")},
    }
    pages = {}
    for cautions in ((), ("nothing <was> learned",)):
        changed = dataclasses.replace(report, columns=columns, cautions=cautions)
        pages[bool(cautions)] = write_report(tmp_path / "r.html", changed).read_text()
    assert (
        "<h2>Called real</h2>" in pages[False] and 'value="real"' in pages[False] and "Be careful:" not in pages[False]
    )
    assert "<h2>Called real</h2>" not in pages[True] and 'value="real"' not in pages[True]
    assert "nothing &lt;was&gt; learned" in pages[True] and "Be careful:" in pages[True]
    assert '"believed":true' in pages[False] and '"believed":false' in pages[True] and '"p_real":[0.1' in pages[True]


def test_a_table_that_the_page_saves_holds_no_formula():
    """The page sets a quote before the same names as `Scores.write` does."""
    script = resources.files("giqa").joinpath("report/report.js").read_text()
    assert f'(/^{CALL.pattern}/.test(name) ? "\'" : "") + name' in script and "harmless(ids[i])" in script
