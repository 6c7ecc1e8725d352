"""Label maps through `evaluate_pairs`: what a run says is what the formulas say of all pixels together."""

import json

import numpy as np
import pytest
from PIL import Image

from ffltool import LabelMaps, evaluate_pairs, miou, pair, pixel_accuracy
from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.metrics.segmentation import confusion_of

BOTH = ["miou", "pixel_accuracy"]


def maps_of(*folders):
    """Return all label maps of each folder, one on top of the other."""
    return [np.vstack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]) for folder in folders]


def write(path, rows, dtype=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(rows, dtype=dtype)).save(path)
    return path


def test_scores_are_of_all_pixels_together_not_means_over_pairs(label_folders):
    real, fake = label_folders([f"{i}.png" for i in range(5)])
    label_folders(["9.png"], size=(30, 40))
    report = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps())
    one, other = (
        np.concatenate([np.asarray(Image.open(path)).ravel() for path in sorted(folder.iterdir())])
        for folder in (real, fake)
    )
    assert [score.value for score in report.scores] == [miou(one, other), pixel_accuracy(one, other)]
    assert report.scores[1].value != pytest.approx(np.mean([row.values[1] for row in report.pairs]), abs=1e-4)
    assert all((score.std, score.images, score.infinite) == (None, 6, 0) for score in report.scores)


def test_pairs_have_values_of_their_own_and_the_worst_come_first(label_folders):
    real, fake = label_folders()
    report = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps(classes=9, absent="zero"))
    for row in report.pairs:
        one, other = (np.asarray(Image.open(folder / row.real)) for folder in (real, fake))
        assert row.values == (miou(one, other), pixel_accuracy(one, other)), "absent classes do not count in one pair"
    for place, score in enumerate(report.scores):
        values = [row.values[place] for row in report.pairs]
        assert (score.min, score.max) == (min(values), max(values))
    assert report.worst(1)[0].values[0] == report.scores[0].min


def test_classes_are_those_of_the_whole_set(label_folders):
    real, fake = label_folders()
    report = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps(classes=6))
    found = confusion_of(*maps_of(real, fake), LabelMaps(classes=6)).compute()
    assert [each.label for each in report.classes] == list(range(6))
    assert [each.iou for each in report.classes] == [*found.iou[:4], None, None]
    assert [each.accuracy for each in report.classes] == [*found.accuracy[:4], None, None]
    pixels = [(each.real_pixels, each.fake_pixels, each.right_pixels) for each in report.classes]
    assert pixels == list(zip(found.real, found.fake, found.right, strict=True))


def test_a_result_names_its_conventions_and_versions(label_folders):
    reading = LabelMaps(classes=6, ignore_index=255, absent="zero", accuracy_over="all")
    report = evaluate_pairs(pair(*label_folders()), BOTH, reading=reading)
    counted = {"classes": 6, "ignore_index": 255}
    settings = [score.settings for score in report.scores]
    assert settings == [counted | {"absent": "zero"}, counted | {"accuracy_over": "all"}]
    assert (report.environment["torch"], report.environment["numpy"]) == (None, np.__version__)
    found = evaluate_pairs(pair(*label_folders()), BOTH, reading=LabelMaps())
    assert found.scores[0].settings["classes"] == 4


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_is_the_same_for_any_number_of_workers(label_folders, workers):
    pairing = pair(*label_folders([f"{i}.png" for i in range(20)]))
    expected, found = (evaluate_pairs(pairing, BOTH, reading=LabelMaps(), workers=count) for count in (1, workers))
    assert (found.pairs, found.scores, found.classes) == (expected.pairs, expected.scores, expected.classes)


def test_side_by_side_equals_two_folders(tmp_path, label_folders):
    real, fake = label_folders()
    for path in real.iterdir():
        write(tmp_path / "both" / path.name, np.hstack([Image.open(path), Image.open(fake / path.name)]))
    together = evaluate_pairs(pair(tmp_path / "both", side_by_side=True), BOTH, reading=LabelMaps())
    apart = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps())
    assert (together.scores, together.classes) == (apart.scores, apart.classes)
    assert together.real.sizes == ((12, 16),)


def test_16_bits_hold_many_classes(tmp_path):
    real = write(tmp_path / "gt.png", [[0, 3000, 65535]], dtype=np.uint16)
    fake = write(tmp_path / "pred.png", [[0, 2999, 1]], dtype=np.uint16)
    report = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps(ignore_index=65535))
    assert [score.value for score in report.scores] == [1 / 3, 1 / 2]
    assert len(report.classes) == 3001


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_a_label_beyond_the_classes_is_named_with_its_file(label_folders, side):
    real, fake = label_folders(classes=4)
    write(real.parent / side / "b.png", np.full((12, 16), 9))
    expected = rf"{side}/b\.png: label 9 is no class: 4 classes are 0 to 3, and 255 is ignored"
    with pytest.raises(InputError, match=expected):
        evaluate_pairs(pair(real, fake), ["miou"], reading=LabelMaps(classes=4))


def test_a_pair_without_a_labelled_pixel_has_no_row_but_its_pixels_count(label_folders):
    real, fake = label_folders()
    before = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps())
    for side in (real, fake):
        write(side / "z.png", np.full((12, 16), 255))
    report = evaluate_pairs(pair(real, fake), BOTH, reading=LabelMaps())
    assert report.warnings == ("1 pair has no labelled pixel, and no row of its own: z.png",)
    assert report.pairs == before.pairs
    assert [score.value for score in report.scores] == [score.value for score in before.scores]
    assert report.scores[0].images == 4
    over_all = LabelMaps(accuracy_over="all")
    less, more = (
        evaluate_pairs(pair(real, fake, limit=limit), ["pixel_accuracy"], reading=over_all).scores[0].value
        for limit in (4, 3)
    )
    assert less == pytest.approx(more * 3 / 4)


def test_nothing_but_ignored_pixels_is_an_error(tmp_path):
    real, fake = (write(tmp_path / name, [[255, 255]]) for name in ("gt.png", "pred.png"))
    for name in BOTH:
        with pytest.raises(NothingComparedError, match="every pixel of the real label maps is the ignore index 255"):
            evaluate_pairs(pair(real, fake), [name], reading=LabelMaps())


def test_broken_label_maps_can_be_left_out_by_name(label_folders):
    real, fake = label_folders()
    (fake / "b.png").write_bytes(b"junk")
    with pytest.raises(BrokenImageError, match=r"pred/b\.png"):
        evaluate_pairs(pair(real, fake), ["miou"], reading=LabelMaps())
    report = evaluate_pairs(pair(real, fake), ["miou"], reading=LabelMaps(), skip_broken=True)
    assert report.warnings == ("1 pair with a broken image was left out: b.png",)
    assert [row.real for row in report.pairs] == ["a.png", "c.png"]


def test_metrics_of_images_and_of_labels_do_not_mix(label_folders):
    pairing = pair(*label_folders())
    with pytest.raises(InputError, match=r"psnr, lsd: of images, but --labels reads label maps, for miou, pixel_accur"):
        evaluate_pairs(pairing, ["psnr", "lsd", "miou"], reading=LabelMaps())
    with pytest.raises(InputError, match="bands: of images"):
        evaluate_pairs(pairing, ["miou"], reading=LabelMaps(), bands=4)
    with pytest.raises(InputError, match="miou: of label maps, which --labels reads, not of images"):
        evaluate_pairs(pairing, ["psnr", "miou"])


def test_label_maps_want_pairs(label_folders):
    with pytest.raises(InputError, match="miou: these want pairs"):
        evaluate_pairs(pair(*label_folders(), by="none"), ["miou"], reading=LabelMaps())


def test_equals_the_authors_code_on_the_reference_maps(shared):
    golden = json.loads((shared / "reference" / "segmentation.json").read_text())["classes7"]
    labels = shared / "reference" / "inputs" / "labels"
    pairing = pair(labels / "gt.png", labels / "pred.png")
    drn = LabelMaps(classes=7, accuracy_over="all")
    csail = LabelMaps(classes=7, absent="zero")
    expected = (
        (drn, [golden["drn_miou_nanmean"], golden["pixel_accuracy_all_pixels"]]),
        (csail, [golden["csail_miou_mean_absent_as_0"], golden["csail_accuracy"]]),
    )
    for reading, values in expected:
        report = evaluate_pairs(pairing, BOTH, reading=reading)
        # CSAIL's has 1e-10 pixels in its denominators
        assert [score.value for score in report.scores] == pytest.approx(values, rel=1e-12)
    assert [each.iou for each in report.classes[:5]] == pytest.approx(golden["drn_iou"][:5], rel=1e-14)
    assert [each.iou for each in report.classes[5:]] == golden["drn_iou"][5:] == [None, None]
