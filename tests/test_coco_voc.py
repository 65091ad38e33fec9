"""Files of COCO and PASCAL VOC: scenes written and read again, files of the real format, and what is wrong with files."""

import json

import numpy as np
import pytest

from cnncourse.data.coco import read_coco
from cnncourse.data.images import read_image, read_index_image, write_image
from cnncourse.data.scenes import CLASSES, KEYPOINTS, make_scenes
from cnncourse.data.voc import CLASSES as VOC_CLASSES
from cnncourse.data.voc import read_voc, read_voc_xml
from cnncourse.data.write_scenes import write_coco, write_voc

SCENES = make_scenes(5, (40, 56), "crowded", seed=2)
# pycocotools hands its masks to NumPy as one did before NumPy 2.
before_numpy2 = pytest.mark.filterwarnings("ignore:__array__ implementation doesn:DeprecationWarning")


def test_scenes_through_coco(tmp_path):
    file = write_coco(tmp_path, SCENES)
    data = read_coco(file, tmp_path / "images")
    assert data.classes == CLASSES and data.image_ids == (1, 2, 3, 4, 5)
    for number, (image, (boxes, labels)) in enumerate(zip(data.images, SCENES.objects(), strict=True)):
        np.testing.assert_array_equal(image.image(), SCENES.images[number])
        np.testing.assert_array_equal(image.boxes, boxes)
        np.testing.assert_array_equal(image.labels, labels)
        np.testing.assert_array_equal(image.masks(), SCENES.masks(number))
        np.testing.assert_allclose(image.keypoints, SCENES.keypoints[number, : len(boxes)], atol=0.006)
        assert not image.ignored.any() and [len(part) for part in image.objects()] == [len(boxes)] * 3


@before_numpy2
def test_pycocotools_reads_the_same(tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco").COCO(str(write_coco(tmp_path, SCENES)))
    capsys.readouterr()
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert coco.loadCats([1])[0]["keypoints"] == list(KEYPOINTS)
    for number, (boxes, labels) in enumerate(SCENES.objects()):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[number + 1]))
        assert [one["category_id"] - 1 for one in annotations] == labels.tolist()
        for one, box, mask in zip(annotations, boxes, SCENES.masks(number), strict=True):
            x, y, width, height = one["bbox"]
            assert [x, y, x + width, y + height] == box.tolist()
            np.testing.assert_array_equal(coco.annToMask(one), mask)
            assert one["area"] == mask.sum()


def test_scenes_through_voc(tmp_path):
    data = read_voc(write_voc(tmp_path, SCENES, "val"), "val", CLASSES)
    assert data.classes == CLASSES and len(data.images) == 5
    for number, (image, (boxes, labels)) in enumerate(zip(data.images, SCENES.objects(), strict=True)):
        np.testing.assert_array_equal(image.boxes, boxes)
        np.testing.assert_array_equal(image.labels, labels)
        np.testing.assert_array_equal(image.masks(), SCENES.masks(number))
        difference = image.image().astype(float) - SCENES.images[number]  # JPEG changes pixels a little
        assert np.abs(difference).mean() < 4
        classes = read_index_image(tmp_path / "SegmentationClass" / f"{image.path.stem}.png")
        seen = SCENES.instances[number] > 0
        assert (classes[~seen] == 0).all() and set(np.unique(classes[seen])) == set(labels + 1)


VOC_XML = """<annotation>
    <folder>VOC2012</folder><filename>{name}.jpg</filename>
    <size><width>50</width><height>40</height><depth>3</depth></size>
    <object>
        <name>person</name><pose>Frontal</pose><truncated>0</truncated><difficult>0</difficult>
        <part><name>head</name><bndbox><xmin>12</xmin><ymin>2</ymin><xmax>15</xmax><ymax>5</ymax></bndbox></part>
        <bndbox><xmax>50</xmax><xmin>1</xmin><ymax>40</ymax><ymin>2</ymin></bndbox>
    </object>
    <object>
        <name>dog</name><difficult>1</difficult>
        <bndbox><xmin>10.5</xmin><ymin>20</ymin><xmax>20.5</xmax><ymax>30</ymax></bndbox>
    </object>
    <object><name>cat</name><bndbox><xmin>7</xmin><ymin>8</ymin><xmax>7</xmax><ymax>8</ymax></bndbox></object>
</annotation>"""


def voc_file(folder, text=VOC_XML, name="2008_000001"):
    path = folder / "Annotations" / f"{name}.xml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("{name}", name))
    return path


def test_voc_counts_from_one_and_includes_both_ends(tmp_path):
    """xmin 1, xmax 50 of an image 50 wide is all of it; xmin = xmax is one pixel. Parts are not objects."""
    image = read_voc_xml(voc_file(tmp_path))
    assert image.boxes.tolist() == [[0, 1, 50, 40], [9.5, 19, 20.5, 30], [6, 7, 7, 8]]
    assert [VOC_CLASSES[label] for label in image.labels] == ["person", "dog", "cat"]
    assert image.ignored.tolist() == [False, True, False]
    assert (image.height, image.width) == (40, 50)
    assert image.path == tmp_path / "JPEGImages" / "2008_000001.jpg"
    with pytest.raises(ValueError, match=r"2008_000001.jpg: the data set has no masks"):
        image.masks()


def test_voc_lists_of_a_class_have_a_second_column(tmp_path):
    voc_file(tmp_path), voc_file(tmp_path, name="2008_000002")
    listed = tmp_path / "ImageSets" / "Main" / "dog_train.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("2008_000001 -1\n2008_000002  1\n\n")
    assert [image.path.stem for image in read_voc(tmp_path, "dog_train").images] == [
        "2008_000001",
        "2008_000002",
    ]


def test_voc_leaves_the_edges_of_masks_open(tmp_path):
    file = voc_file(tmp_path)
    index = np.zeros((40, 50), np.uint8)
    index[2:9, 3:8], index[2:9, 8] = 2, 255
    write_image(tmp_path / "SegmentationObject" / "2008_000001.png", index)
    masks = read_voc_xml(file).masks()
    assert masks.shape == (3, 40, 50) and masks.sum(axis=(1, 2)).tolist() == [0, 35, 0]
    assert masks[1, 2:9, 3:8].all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<xmin>1</xmin>", "<xmin>one</xmin>", r"bndbox/xmin \(=one\) is no number"),
        ("<xmin>1</xmin>", "", "object has no bndbox/xmin"),
        ("<xmin>1</xmin>", "<xmin>51</xmin>", r"person: bndbox .*51.* ends before it begins"),
        ("<name>dog</name>", "<name>dodo</name>", r"object name \(=dodo\) is none of the 20 classes"),
        ("<width>50</width>", "", "annotation has no size/width"),
        ("<filename>{name}.jpg</filename>", "", "annotation has no filename"),
        ("</annotation>", "", "no XML"),
    ],
)
def test_what_is_wrong_with_a_voc_file(tmp_path, old, new, message):
    assert old in VOC_XML
    with pytest.raises(ValueError, match=message) as caught:
        read_voc_xml(voc_file(tmp_path, VOC_XML.replace(old, new)))
    assert "2008_000001.xml: " in str(caught.value) and "\n" not in str(caught.value)


# As in instances_val2017.json: ids with gaps, polygons, a crowd as runs, keypoints of one category only.
COCO = {
    "info": {},
    "licenses": [],
    "categories": [
        {"supercategory": "animal", "id": 18, "name": "dog"},
        {"supercategory": "person", "id": 1, "name": "person", "keypoints": ["nose", "left_eye"], "skeleton": [[1, 2]]},
    ],
    "images": [
        {"id": 397133, "file_name": "000000397133.jpg", "height": 6, "width": 9},
        {"id": 37777, "file_name": "000000037777.jpg", "height": 4, "width": 4},
    ],
    "annotations": [
        {
            "id": 1768, "image_id": 397133, "category_id": 18, "iscrowd": 0, "area": 6.0,
            "bbox": [1.5, 2.25, 4.0, 3.5], "segmentation": [[1, 2, 4, 2, 4, 4, 1, 4], [6, 0, 9, 0, 9, 3]],
        },
        {
            "id": 1769, "image_id": 397133, "category_id": 1, "iscrowd": 1, "area": 3, "bbox": [0, 0, 9, 6],
            "segmentation": {"size": [6, 9], "counts": [1, 2, 10, 3, 38]}, "keypoints": [3, 4, 2, 0, 0, 0],
        },
    ],
}  # fmt: skip


def coco_file(folder, content=COCO):
    path = folder / "instances_val2017.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_coco_ids_have_gaps(tmp_path):
    data = read_coco(coco_file(tmp_path), tmp_path)
    assert (
        data.classes == ("person", "dog")
        and data.category_ids == (1, 18)
        and data.image_ids == (397133, 37777)
    )
    first, second = data.images
    assert first.labels.tolist() == [1, 0] and first.ignored.tolist() == [False, True]
    assert first.boxes.tolist() == [[1.5, 2.25, 5.5, 5.75], [0, 0, 9, 6]]
    assert first.keypoints.tolist() == [[[0, 0, 0], [0, 0, 0]], [[3, 4, 2], [0, 0, 0]]]
    assert first.path == tmp_path / "000000397133.jpg"
    assert second.boxes.shape == (0, 4) and second.masks().shape == (0, 4, 4)
    dog, crowd = first.masks()
    assert dog[2:4, 1:4].all() and dog[:2, :5].sum() == 0 and dog[0, 7:].all() and not dog[3:, 5:].any()
    assert crowd.sum() == 5 and crowd[1:3, 0].all() and crowd[1:4, 2].all()


def test_a_file_of_test_images_has_no_annotations(tmp_path):
    content = {"images": COCO["images"], "categories": COCO["categories"]}
    assert [len(image.boxes) for image in read_coco(coco_file(tmp_path, content), tmp_path).images] == [0, 0]


def changed(place, **values):
    content = json.loads(json.dumps(COCO))
    target = content["annotations"][0] if place == "annotation" else content
    for name, value in values.items():
        if value is None:
            del target[name]
        else:
            target[name] = value
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "an object with images, annotations and categories is needed"),
        (changed("file", images=None), "'images' is missing"),
        (changed("file", images=[{"id": 397133}]), "'height' is missing"),
        (changed("annotation", bbox=None), r"annotations\[0\] has no bbox"),
        (changed("annotation", bbox=[1, 2, 3]), r"annotation 1768: bbox \(=\[1, 2, 3\]\) must be"),
        (changed("annotation", bbox=[1, 2, -3, 4]), r"annotation 1768: bbox \(=\[1, 2, -3, 4\]\)"),
        (changed("annotation", bbox=[1, 2, "3", 4]), "annotation 1768: bbox"),
        (changed("annotation", category_id=99), r"annotation 1768: category_id \(=99\) is not in the file"),
        (changed("annotation", image_id=5), r"annotation 1768: image_id \(=5\) is not in the file"),
        (changed("annotation", keypoints=[1, 2]), "annotation 1768: keypoints has 2 numbers"),
    ],
)
def test_what_is_wrong_with_a_coco_file(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_coco(coco_file(tmp_path, content), tmp_path)
    assert "instances_val2017.json: " in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[1, 2, 3, 4]], "a polygon of 4 numbers"),
        ({"size": [6, 9], "counts": [3, 4]}, "runs of 7 pixels for a mask of 6 x 9"),
        ({"size": [9, 6], "counts": [54]}, r"a mask of size \[9, 6\]"),
        ({"size": [6, 9], "counts": "~"}, "'~' in a compressed mask"),
        ({"size": [6, 9], "counts": "P"}, "the compressed mask .P. ends within a number"),
        ("here", "a segmentation is a list of polygons"),
    ],
)
def test_what_is_wrong_with_a_mask(tmp_path, segmentation, message):
    image = read_coco(coco_file(tmp_path, changed("annotation", segmentation=segmentation)), tmp_path).images[
        0
    ]
    with pytest.raises(ValueError, match=f"annotation 1768: {message}"):
        image.masks()


def test_without_masks(tmp_path):
    image = read_coco(coco_file(tmp_path, changed("annotation", segmentation=None)), tmp_path).images[0]
    with pytest.raises(ValueError, match="no masks"):
        image.masks()


def test_images_are_what_was_annotated(tmp_path):
    write_image(tmp_path / "000000397133.jpg", np.zeros((3, 5, 9), np.uint8))
    image = read_coco(coco_file(tmp_path), tmp_path).images[0]
    with pytest.raises(ValueError, match=r"000000397133.jpg: 9 x 5 pixels, but annotated as 9 x 6"):
        image.image()
    (tmp_path / "000000397133.jpg").write_text("no image")
    with pytest.raises(ValueError, match=r"000000397133.jpg: no image"):
        image.image()
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "none.jpg")
