"""The HTML report: what it shows, and that nothing in a model's names can act in it."""

from __future__ import annotations

import copy
import html.parser
import json
import re

import pytest
from conftest import require_tool

from edgekit import cli, report, tools
from edgekit.comparison import compare
from edgekit.documents import document, issue
from edgekit.errors import UsageError

HOSTILE = "</title><script>alert(1)</script>\"' onload=x <img src=http://evil.example/a>"
EXACT = ("code", "weights", "tables", "total")
VOID = {"meta", "link", "br", "img"}


def profile(**changes) -> dict:
    """A whole profile of two operators, the second folded."""
    d = document(
        "profile", model={"name": "tiny", "sha256": "ab" * 32, "macs": 1000, "macs_live": 1000,
                          "parameters": 40},
        board="some_board", runtime="aot", form="cmake", optimize="balanced",
        toolchain="gcc 12.2.1", engine="unicorn",
        flash={"code": 4321, "weights": 1234, "tables": 56, "total": 5611,
               "methods": dict.fromkeys(EXACT, "exact")},
        ram={"arena": 3000, "activations": 3000, "activations_bound": 2900, "scratch": 100,
             "static": 8, "peak_stack": 264, "total": 3272,
             "methods": {**dict.fromkeys(("arena", "activations", "activations_bound", "scratch",
                                          "static"), "exact"),
                         "peak_stack": "emulated", "total": "emulated"}},
        time={"instructions": 7654, "cycles": [9000, 9500], "latency_s": [7.5e-05, 7.9e-05],
              "energy_j": [1.25e-06, 1.5e-06],
              "methods": {"instructions": "emulated", "cycles": "estimated",
                          "latency_s": "estimated", "energy_j": "estimated"}},
        ops=[{"index": 0, "kind": "CONV_2D", "output": "conv", "kernel": "conv_2d_s8", "macs": 1000,
              "instructions": 7600, "cycles": [8800, 9300]},
             {"index": 1, "kind": "RESHAPE", "output": "flat", "kernel": "folded", "macs": 0,
              "instructions": 0, "cycles": [0, 0]}],
        arena_plan=[{"tensor": 0, "name": "input", "offset": 0, "bytes": 1900, "first": -1,
                     "last": 0},
                    {"tensor": 1, "name": "conv", "offset": 1900, "bytes": 1000, "first": 0,
                     "last": 2},
                    {"tensor": -1, "name": "scratch of operator 0", "offset": 2900, "bytes": 100,
                     "first": 0, "last": 0}],
        firmware={"flash_used": 8000, "flash_size": 65536, "ram_used": 6000, "ram_size": 5000,
                  "regions": [{"name": "flash", "used": 8000, "size": 65536},
                              {"name": "sram", "used": 6000, "size": 5000}]})
    return d | changes


def unknown_profile() -> dict:
    """A profile of a model that could not be built here: every number that may be is null."""
    d = copy.deepcopy(profile(toolchain=None, engine=None, arena_plan=None, runtime="tflm"))
    for section in ("flash", "ram", "time"):
        d[section] = dict.fromkeys(d[section]) | {"methods": {}}
    for op in d["ops"]:
        op |= {"kernel": None, "instructions": None, "macs": None}
    d["firmware"] = {"flash_used": None, "flash_size": None, "ram_used": None, "ram_size": None,
                     "regions": []}
    return d | {"issues": [issue("not_built", "no compiler: code size, stack and instructions are "
                                 "not known", "install one")]}


def verdict(**changes) -> dict:
    d = document("validate", target="emulator", board="some_board", runtime="aot",
                 model=profile()["model"], golden="tflite-micro 0.dev1", samples=20,
                 elements=123456, mismatches=0, worst=0, first=None, accuracy=None, ok=True)
    return d | changes


def mismatch() -> dict:
    return verdict(mismatches=7, worst=3, accuracy=0.875, ok=False, first={
        "sample": 4, "op": 11, "kind": "FULLY_CONNECTED", "tensor": "logits", "element": 5,
        "expected": -12, "got": 99})


def demo() -> dict:
    return document("demo", steps=[{"name": "train", "seconds": 30.0},
                                   {"name": "prune", "seconds": 12.5}],
                    accuracy={"float": 0.9512, "pruned": None, "int8": 0.9401, "samples": 1000},
                    profiles=[profile(), profile(board="other_board")],
                    validations=[verdict()])


class Page(html.parser.HTMLParser):
    """The elements of a page with their attributes and the text inside each."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> inside {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def having(self, tag: str, of_class: str = "") -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag
                and (not of_class or of_class in (attrs.get("class") or "").split())]


def page_of(*results: dict) -> Page:
    return Page(report.render_html(list(results)))


def test_a_profile_shows_its_numbers_and_how_each_was_got():
    text = page_of(profile()).text
    for shown in ("5,611 bytes", "4,321", "1,234", "3,272 bytes", "264", "7,654", "7.65 per MAC",
                  "9,000 – 9,500", "8,800 – 9,300", "75 – 79 µs", "1.25 – 1.5 µJ", "gcc 12.2.1", "conv_2d_s8"):
        assert shown in text
    for method in ("exact", "emulated", "estimated"):
        assert len(page_of(profile()).having("span", method)) > 1


def test_the_bars_are_as_long_as_the_numbers():
    bars = [attrs["style"] for attrs in page_of(profile()).having("i") if "style" in attrs]
    assert f"width:{100 * 8000 / 65536:.2f}%" in bars
    assert f"width:{100 * 4321 / 5611:.2f}%" in bars
    assert f"width:{100 * 264 / 3272:.2f}%" in bars


def test_a_memory_that_is_too_full_says_so_and_its_bar_stays_inside():
    page = page_of(profile())
    assert "does not fit" in page.text and "120.0 %" in page.text
    assert [a["style"] for a in page.having("i", "bad-fill")] == ["width:100.00%"]


def test_the_arena_is_drawn_one_block_per_placement():
    page = page_of(profile())
    blocks = {rect["class"]: rect for rect in page.having("rect")}
    assert sorted(blocks) == ["input", "output", "scratch"]
    # 876 px for four positions: input, two operators, output; 240 px for 3,000 bytes.
    assert (blocks["output"]["x"], blocks["output"]["width"]) == ("283", "657")
    assert (blocks["output"]["y"], blocks["output"]["height"]) == ("18", "80")
    assert "conv: 1,000 bytes at offset 1,900, from 0 CONV_2D to output" in page.text
    assert "Most is alive at 0 CONV_2D: 3,000 bytes" in page.text
    assert "input output scratch" in page.text  # the legend: no activation in this plan


def test_what_is_not_known_says_why():
    page = page_of(unknown_profile())
    assert page.text.count("not known") > 10
    assert "no compiler: code size, stack and instructions are not known" in page.text
    assert "install one" in page.text
    assert not page.having("svg") and not page.having("div", "stack")
    assert not re.search(r"\bNone\b|\bnan\b", page.text)


def test_profiles_stand_side_by_side():
    both = document("profiles", profiles=[unknown_profile(), profile()])
    page = page_of(both)
    assert len(page.having("section", "profile")) == 2
    assert {"id": "glance", "class": "part"} in page.having("section")
    assert [a["href"] for a in page.having("a")] == ["#r1", "#r2", "#r1", "#r2"]
    assert {"r1", "r2"} <= {a.get("id") for a in page.having("section")}


def test_a_verdict_says_equal_and_against_what():
    page = page_of(verdict())
    assert page.having("div", "good") and not page.having("div", "wrong")
    for shown in ("Equal", "123,456", "20 samples", "tflite-micro 0.dev1", "not asked for"):
        assert shown in page.text


def test_a_mismatch_shows_the_first_difference_and_the_accuracy():
    page = page_of(mismatch())
    assert page.having("div", "wrong") and not page.having("div", "good")
    for shown in ("7 of 123,456", "FULLY_CONNECTED", "logits", "-12", "99", "87.5 % of 20"):
        assert shown in page.text


def test_a_comparison_shows_what_changed_and_what_regressed():
    after = copy.deepcopy(profile())
    after["ram"]["arena"], after["flash"]["code"] = 3300, 4000
    page = page_of(compare(profile(), after, ["ram.arena=5%"]))
    for shown in ("ram.arena", "3,000", "3,300", "+10.00 %", "limit 5 %", "-7.43 %", "Regression"):
        assert shown in page.text


def test_a_demo_begins_with_its_summary_and_holds_its_parts():
    page = page_of(demo())
    kinds = [a["class"].split()[-1] for a in page.having("section")]
    assert kinds == ["demo", "part", "profile", "profile", "validate"]
    for shown in ("42.5 s in all", "95.1 %", "94.0 %", "1,000 test samples", "other_board",
                  "of 123,456 compared"):
        assert shown in page.text


def test_hostile_names_are_text_and_nothing_else():
    d = profile(board=HOSTILE, toolchain=HOSTILE, issues=[issue(HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    d = copy.deepcopy(d)
    d["model"]["name"] = d["ops"][0]["kind"] = d["ops"][0]["output"] = HOSTILE
    d["ops"][0]["kernel"] = d["arena_plan"][0]["name"] = d["firmware"]["regions"][0]["name"] = HOSTILE
    d["flash"]["methods"]["code"] = HOSTILE
    wrong = mismatch() | {"target": HOSTILE}
    wrong["first"] = wrong["first"] | {"tensor": HOSTILE}
    page = page_of(d, wrong, compare({HOSTILE: 1}, {HOSTILE: 2}, []))
    plain = page_of(profile(), mismatch(), compare({"a": 1}, {"a": 2}, []))
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in plain.tags} | {"ul", "li"}
    keys = {key for _, attrs in page.tags for key in attrs}
    assert keys == {key for _, attrs in plain.tags for key in attrs}
    assert HOSTILE in "".join(page.words)


@pytest.mark.parametrize("result", [profile(), unknown_profile(), mismatch(), demo()],
                         ids=["profile", "unknown", "mismatch", "demo"])
def test_the_page_needs_no_network_and_no_script(result):
    text = report.render_html([result])
    assert not re.search(r"(?i)https?:|//[a-z]|@import|url\(|<script|javascript:", text)
    sources = [value for _, attrs in Page(text).tags for key, value in attrs.items()
               if key in ("src", "href", "srcset", "action")]
    assert all(value.startswith("#") or value == "data:," for value in sources)
    assert "default-src 'none'" in text


def test_the_same_results_give_the_same_bytes(tmp_path):
    told = report.write_html([demo()], tmp_path / "a" / "one.html")
    report.write_html(json.loads(json.dumps([demo()])), tmp_path / "two.html")
    assert (tmp_path / "a" / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert told["schema"] == "edgekit.report" and told["results"] == 1 and told["issues"] == []


def test_half_a_surrogate_pair_in_a_name_does_not_stop_the_report(tmp_path):
    report.write_html([profile(board="\ud800")], tmp_path / "r.html")
    assert "on ?, aot" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_schemas_without_a_report_are_named_and_nothing_is_written(tmp_path):
    others = [document("boards", boards=[]), profile(), {"schema": "edgekit.flash"}]
    with pytest.raises(UsageError, match=r"edgekit\.boards, edgekit\.flash") as caught:
        report.write_html(others, tmp_path / "r.html")
    assert "edgekit.profile" in caught.value.hint and not (tmp_path / "r.html").exists()
    with pytest.raises(UsageError, match=r"edgekit\.error"):
        report.render_html([document("profiles", profiles=[document("error")])])
    with pytest.raises(UsageError, match="schema_version 2"):
        report.render_html([profile(schema_version=2)])
    with pytest.raises(UsageError, match="no result"):
        report.render_html([])
    with pytest.raises(UsageError, match="no result"):
        report.render_html([document("profiles", profiles=[])])


def test_a_damaged_result_is_a_usage_error_that_names_what_is_wrong():
    for path, value, told in ((("flash",), None, "NoneType"), (("ram", "arena"), "big", "str"),
                              (("ops",), [{}], "kind"), (("firmware",), {}, "flash_used"),
                              (("time", "instructions"), float("inf"), "inf is not"),
                              (("arena_plan",), [{"tensor": 0, "name": "", "offset": 0, "bytes": 1,
                                                  "first": 7, "last": 9}], "IndexError")):
        d = copy.deepcopy(profile())
        inner = d
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        with pytest.raises(UsageError, match=told):
            report.render_html([d])
    with pytest.raises(UsageError, match=r"result 2 \(edgekit\.validate\) .*samples"):
        report.render_html([profile(), {k: v for k, v in verdict().items() if k != "samples"}])
    with pytest.raises(UsageError, match="'ok' is True with 7 mismatches"):
        report.render_html([mismatch() | {"ok": True}])


def test_the_command_writes_the_file_and_prints_its_document(tmp_path, capsys):
    for name, d in (("p", profile()), ("v", verdict())):
        (tmp_path / f"{name}.json").write_text(json.dumps(d), encoding="utf-8")
    out = tmp_path / "r.html"
    argv = ["report", str(tmp_path / "p.json"), str(tmp_path / "v.json"), "-o", str(out), "--json"]
    assert cli.main(argv) == 0
    assert json.loads(capsys.readouterr().out)["results"] == 2
    assert len(Page(out.read_text(encoding="utf-8")).having("section")) == 2


def in_chromium(page, profile_folder) -> tuple[str, str]:
    """(the DOM as Chromium built it, what its console said)."""
    ran = tools.run([require_tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
                     "--no-first-run", "--disable-background-networking", "--disable-sync",
                     "--disable-component-update", f"--user-data-dir={profile_folder}",
                     "--enable-logging=stderr", "--dump-dom", page.as_uri()], timeout_s=60)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    console = [line for line in ran.stderr.decode(errors="replace").splitlines()
               if "CONSOLE" in line]
    return ran.stdout.decode(), "\n".join(console)


def test_chromium_builds_the_page_as_it_was_written_and_has_nothing_to_complain_of(tmp_path):
    d = copy.deepcopy(demo())
    d["profiles"][0]["ops"][0]["output"] = d["profiles"][0]["arena_plan"][0]["name"] = HOSTILE
    report.write_html([d, mismatch()], tmp_path / "r.html")
    dom, console = in_chromium(tmp_path / "r.html", tmp_path / "chromium")
    assert console == ""
    built, written = Page(dom), Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    for tag in ("section", "table", "rect", "title", "dl", "i", "td"):
        assert len(built.having(tag)) == len(written.having(tag)) > 0, tag
    assert not built.having("script") and not built.having("img")


def test_chromium_tells_when_a_page_is_wrong(tmp_path):
    """The check above can fail: a script in such a page is refused, and the console says so."""
    text = report.render_html([verdict()]).replace("</main>", "<script>alert(1)</script></main>")
    (tmp_path / "r.html").write_text(text, encoding="utf-8")
    assert "Content Security Policy" in in_chromium(tmp_path / "r.html", tmp_path / "chromium")[1]
