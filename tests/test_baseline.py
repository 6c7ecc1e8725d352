import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ffltool import baseline
from ffltool.errors import InputError
from ffltool.report import BandScore, ImageSet, PairValues, Report, Score


def report(pairs=3, **rest):
    side = ImageSet(path="real", images=pairs, sizes=((8, 9),), digest="sha256:0")
    scores = (
        Score(
            metric="psnr",
            value=math.inf,
            std=None,
            min=1 / 3,
            max=math.inf,
            images=pairs,
            unit="dB",
            better="higher",
            infinite=1,
            settings={"peak": 255},
        ),
        Score(metric="lsd", value=1.5, std=None, min=None, max=None, images=pairs, unit="dB", better="lower"),
    )
    band = BandScore(
        name="dc", low=0.0, high=0.0, lfd=2.5, share=None, amplitude_share=1.0, phase_share=0.0, gain_db=None
    )
    settings = {
        "command": "check",
        "version": "0.1.0",
        "real": side,
        "fake": replace(side, path="fake"),
        "scores": scores,
        "pairs": tuple(
            PairValues(f"{place}.png", f"{place}.png", 8, 9, (1 / 3 if place else math.inf,)) for place in range(pairs)
        ),
        "warnings": (),
        "environment": {"pillow": "12.0.0", "torch": None},
        "seconds": 0.0,
        "bands": (band,),
    } | rest
    return Report(**settings)


def test_what_is_written_is_read_again(tmp_path):
    reports = {"faces": report(), "cats": report(pairs=5)}
    baseline.write(tmp_path / "b.json", reports)
    assert baseline.read(tmp_path / "b.json") == reports


def test_names_of_any_bytes_are_kept(tmp_path):
    odd = (PairValues("a\udcff\n.png", "a\udcff\n.png", 8, 9, (1.0,)),)
    baseline.write(tmp_path / "b.json", {"": replace(report(), pairs=odd)})
    assert baseline.read(tmp_path / "b.json")[""].pairs == odd


def test_the_file_is_json_that_anything_reads_and_a_line_for_each_pair(tmp_path):
    baseline.write(tmp_path / "b.json", {"": report()})
    text = (tmp_path / "b.json").read_text()
    assert baseline.MARK in text[:200]
    assert json.loads(text, parse_constant=pytest.fail)["sets"][""]["scores"][0]["value"] == "inf"
    assert [line.strip() for line in text.splitlines() if ".png" in line] == [
        '"0.png": "8 9 inf",',
        '"1.png": "8 9 0.3333333333333333",',
        '"2.png": "8 9 0.3333333333333333"',
    ]


def test_a_file_that_is_not_there_is_an_error_with_a_way_out(tmp_path):
    with pytest.raises(InputError, match="does not exist; --update-baseline makes a baseline"):
        baseline.read(tmp_path / "b.json")
    with pytest.raises(InputError, match="cannot be read"):
        baseline.read(tmp_path)


CONTENT = json.loads(baseline.as_json({"": report()}))


def changed(**rest):
    kept = CONTENT["sets"][""] | rest
    return json.dumps(CONTENT | {"sets": {"": {key: value for key, value in kept.items() if value is not ...}}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        '{"schema": "ffltool.report/1"}',
        '{"schema": "ffltool.baseline/1"}',
        json.dumps(CONTENT | {"sets": []}),
        json.dumps(CONTENT | {"sets": {"": 3}}),
        json.dumps(CONTENT)[:-400],
        "[" * 100_000,
        changed(real=...),
        changed(real={"path": "x"}),
        changed(real=CONTENT["sets"][""]["real"] | {"sizes": [[8]]}),
        changed(real=CONTENT["sets"][""]["real"] | {"sizes": []}),
        changed(real=CONTENT["sets"][""]["real"] | {"images": "many"}),
        changed(scores=[{"metric": "psnr"}]),
        changed(scores=[CONTENT["sets"][""]["scores"][0] | {"value": "high"}]),
        changed(scores=[CONTENT["sets"][""]["scores"][0] | {"value": 10**400}]),
        changed(scores=[CONTENT["sets"][""]["scores"][0] | {"better": "larger"}]),
        changed(scores=[CONTENT["sets"][""]["scores"][0] | {"settings": 3}]),
        changed(pairs=[]),
        changed(pairs={"0.png": "8 9"}),
        changed(pairs={"0.png": "8 9 1.0 2.0"}),
        changed(pairs={"0.png": "8 9 high"}),
        changed(pairs={"0.png": "8 9 nan"}),
        changed(pairs={"0.png": "8 9 1e308"}),
        changed(pairs={"0.png": 3}),
        changed(scores=[CONTENT["sets"][""]["scores"][0] | {"settings": [[1, 2], ["a", "b"]]}]),
        changed(environment={"device": float("nan")}),
        changed(environment={"device": 12345}).replace("12345", "1e400"),
        changed(bands=[{"name": "dc"}]),
        changed(bands=3),
        changed(environment=3),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"b\.json (is no baseline|cannot be read)"):
        baseline.read(path)


def test_a_band_that_is_infinite_stays_so(tmp_path):
    (tmp_path / "b.json").write_text(changed(bands=[CONTENT["sets"][""]["bands"][0] | {"gain_db": "-inf"}]))
    kept = baseline.read(tmp_path / "b.json")
    baseline.write(tmp_path / "c.json", kept)
    assert baseline.read(tmp_path / "c.json")[""].bands[0].gain_db == -math.inf


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "b.json"
    baseline.write(path, {"": report(3)})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(baseline.read(path)[""].pairs) == 3


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is no baseline that can be read"):
        baseline.read(tmp_path / "b.json")


def test_two_that_write_at_once_leave_a_whole_file(tmp_path):
    path, stop = tmp_path / "b.json", threading.Event()
    sizes = [200, 300]

    def write(pairs):
        while not stop.is_set():
            baseline.write(path, {"": report(pairs)})

    baseline.write(path, {"": report(sizes[0])})
    writers = [threading.Thread(target=write, args=(pairs,)) for pairs in sizes]
    for writer in writers:
        writer.start()
    found = {len(baseline.read(path)[""].pairs) for _ in range(60)}
    stop.set()
    for writer in writers:
        writer.join()
    assert found <= set(sizes)
    assert [file.name for file in tmp_path.iterdir()] == ["b.json"], "nothing is left over"


WRITER = """
import sys
from pathlib import Path
from ffltool import baseline
path = Path(sys.argv[1])
reports = baseline.read(path)
print("ready", flush=True)
while True:
    baseline.write(path, reports)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / "b.json"
    baseline.write(path, {"": report(2000)})
    whole = path.read_bytes()
    for delay in (0.0, 0.003, 0.01, 0.02):
        environment = os.environ | {"PYTHONPATH": str(Path(baseline.__file__).parents[1])}
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(delay)
            writer.kill()
        assert path.read_bytes() == whole
