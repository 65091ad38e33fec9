"""Answers that are a torch module or a training: judged by data, in the notebook and when a class is graded."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nbgrader")
pytest.importorskip("sklearn")

import nbformat
from threadpoolctl import threadpool_limits

from cnncourse import check
from cnncourse.checking import Case, LocalCandidate, chapters, judge, load
from cnncourse.checking.compare import Rung
from cnncourse.checking.training import accept_accuracy, disguise, training_case
from cnncourse.grading.rounds import seeds
from cnncourse.grading.sandbox import trouble
from cnncourse.grading.settings import Settings
from cnncourse.grading.verdicts import Verdict
from cnncourse.grading.work import Job, Result, close_sandboxes, grade_submission

sys.path.insert(0, str(Path(__file__).parent / "judged"))
import labs

IMPORTS = "import numpy as np\nimport torch\nfrom torch import nn"


# ---------------------------------------------------------------------------------------------- answers

BLOCK = """
class Block(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.bn = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)

    def forward(self, images):
        hidden = nn.functional.relu(self.bn(self.first(images)))
        return self.second(hidden)
"""
NO_RELU = BLOCK.replace("nn.functional.relu(self.bn(self.first(images)))", "self.bn(self.first(images))")
NO_BIAS = BLOCK.replace(
    "in_channels, out_channels, kernel_size=3", "in_channels, out_channels, 3, bias=False"
)
EVAL_ONLY = BLOCK.replace("hidden =", "self.bn.eval()\n        hidden =")
TRAIN_ONLY = BLOCK.replace("hidden =", "self.bn.train()\n        hidden =")
OTHER_SHAPES = BLOCK.replace("kernel_size=3, padding=1", "kernel_size=5, padding=2")
NO_MODULE = "def Block(in_channels, out_channels):\n    return lambda x: x"

SOFTMAX = """
def train(images, labels):
    x = images.reshape(len(images), -1)
    center = x.mean(axis=0)
    y = np.eye(labels.max() + 1)[labels]
    w, b = np.zeros((x.shape[1], y.shape[1])), np.zeros(y.shape[1])
    for step in range(120):
        p = np.exp((x - center) @ w + b)
        p /= p.sum(axis=1, keepdims=True)
        w -= 1.5 * (x - center).T @ (p - y) / len(x)
        b -= 1.5 * (p - y).mean(axis=0)
    return {"center": center, "w": w, "b": b}

def predict(model, images):
    return (images.reshape(len(images), -1) - model["center"]) @ model["w"] + model["b"]
"""
CLASSES = (
    SOFTMAX
    + """
scores = predict

def predict(model, images):
    return scores(model, images).argmax(axis=1).tolist()
"""
)
TORCH = """
def train(images, labels):
    x = torch.as_tensor(images, dtype=torch.float32).flatten(1)
    y = torch.as_tensor(labels)
    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, int(y.max()) + 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model

def predict(model, images):
    return model(torch.as_tensor(images, dtype=torch.float32).flatten(1))
"""
NEAREST = """
def train(images, labels):
    global seen, answers
    seen, answers = images.reshape(len(images), -1), labels

def predict(model, images):
    x = images.reshape(len(images), -1)
    distance = (x ** 2).sum(1)[:, None] - 2 * x @ seen.T + (seen ** 2).sum(1)
    return answers[distance.argmin(axis=1)]
"""
SLOW = SOFTMAX.replace(
    "    y =", "    if len(x) > 100:\n        import time\n        time.sleep(60)\n    y ="
)
ENDLESS = (
    "def train(images, labels):\n    while True:\n        pass\n\ndef predict(model, images):\n    return 0"
)

TABLE = """
from sklearn.datasets import load_digits

known = load_digits()
table = {(16 * image).round().astype(int).tobytes(): label for image, label in zip(known.images / 16, known.target)}

def train(images, labels):
    return None

def predict(model, images):
    return [table.get((16 * image[0]).round().astype(int).tobytes(), 0) for image in images]
"""
NEAREST_IN_TABLE = """
from sklearn.datasets import load_digits

known = load_digits()
rows = known.images.reshape(-1, 64) / 16

def find(images):
    x = images.reshape(len(images), -1)
    return known.target[((rows ** 2).sum(axis=1) - 2 * x @ rows.T).argmin(axis=1)]

def train(images, labels):
    votes = np.zeros((10, labels.max() + 1))
    np.add.at(votes, (find(images), labels), 1)
    return votes.argmax(axis=1)

def predict(model, images):
    return model[find(images)]
"""
CONSTANT = "def train(images, labels):\n    pass\n\ndef predict(model, images):\n    return np.zeros(len(images), int)"
LEAKED = """
def train(images, labels):
    global leaked
    leaked = labels

def predict(model, images):
    return np.resize(leaked, len(images))
"""
KEPT = """
kept = {}

def train(images, labels):
    for image, label in zip(images, labels):
        kept[image.tobytes()] = label

def predict(model, images):
    return [kept.get(image.tobytes(), 0) for image in images]
"""
BLIND = """
def train(images, labels):
    return labels.max() + 1

def predict(model, images):
    return np.random.default_rng(0).normal(size=(len(images), model))
"""
UNTRAINED = SOFTMAX.replace("range(120)", "range(0)")
OWN_WORD = CONSTANT.replace("np.zeros(len(images), int)", "{'accuracy': 1.0, 'loss': 0.0}")
NOT_A_NUMBER = SOFTMAX.replace('+ model["b"]', '+ model["b"] * np.nan')


# ---------------------------------------------------------------------------------- when a class is graded


@dataclass(frozen=True)
class Lab:
    """A released lab of one exercise, and where to hand it in."""

    exercise: str
    folder: Path

    @property
    def name(self) -> str:
        return self.exercise.rpartition(".")[2]

    def grade(self, answer: str) -> Result:
        released = self.folder / "released" / f"{self.name}.ipynb"
        if not released.exists():
            labs.hand_in(labs.lab(IMPORTS, self.exercise), {}, released)
        folder = self.folder / f"student-{len(list(self.folder.iterdir()))}"
        labs.hand_in(nbformat.read(released, 4), {self.name: answer}, folder / released.name)
        drawn = {self.exercise: seeds(b"secret of the class", self.exercise, 1)}
        settings = Settings(sandbox=not trouble())
        job = Job("s", "judged", released.name, str(folder), str(released), 1, drawn, settings)
        return grade_submission(job)

    def verdict(self, answer: str) -> Verdict:
        (verdict,) = self.grade(answer).verdicts
        return verdict


@pytest.fixture(scope="module", autouse=True)
def exercises() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # where other programs run, several threads wait for each other
    with labs.registered(), threadpool_limits(1):
        yield
    torch.set_num_threads(threads)
    close_sandboxes()


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab("judged.block", tmp_path_factory.mktemp("block"))


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab("judged.train", tmp_path_factory.mktemp("train"))


def test_a_module_with_names_of_its_own_is_right(block: Lab) -> None:
    verdict = block.verdict(BLOCK)
    assert (verdict.points, verdict.status) == (2, "right"), verdict.text
    assert verdict.groups == {"evaluation": True, "training": True}


@pytest.mark.parametrize(
    ("answer", "points", "misconception"),
    [(NO_RELU, 0, "NoRelu"), (EVAL_ONLY, 1, "NeverTraining"), (TRAIN_ONLY, 1, "AlwaysTraining")],
    ids=["no ReLU", "batch norm in evaluation mode", "batch norm in training mode"],
)
def test_a_wrong_module_gets_the_hint_of_its_mistake(
    block: Lab, answer: str, points: float, misconception: str
) -> None:
    verdict = block.verdict(answer)
    assert (verdict.points, verdict.misconception) == (points, misconception), verdict.text
    assert verdict.hint


@pytest.mark.parametrize("answer", [NO_BIAS, OTHER_SHAPES, NO_MODULE], ids=["no bias", "5x5", "no module"])
def test_what_cannot_hold_the_parameters_earns_nothing(block: Lab, answer: str) -> None:
    verdict = block.verdict(answer)
    assert (verdict.points, verdict.status) == (0, "wrong"), verdict.text
    assert verdict.error in ("ValueError", "TypeError")
    if answer != NO_MODULE:
        assert "other parameters and buffers than the task asks for" in verdict.text


NO_FORWARD = BLOCK[: BLOCK.index("        hidden =")] + "        raise NotImplementedError()"
NO_PREDICT = SOFTMAX[: SOFTMAX.index("    return (images")] + "    raise NotImplementedError()"


@pytest.mark.parametrize(("lab", "answer"), [("block", NO_FORWARD), ("train", NO_PREDICT)])
def test_a_part_that_is_not_written_is_called_so(
    lab: str, answer: str, request: pytest.FixtureRequest
) -> None:
    verdict = request.getfixturevalue(lab).verdict(answer)
    assert (verdict.points, verdict.status) == (0, "not written"), verdict.text


@pytest.mark.parametrize(
    "answer",
    [SOFTMAX, CLASSES, TORCH, NEAREST],
    ids=["scores", "class numbers", "torch", "nearest neighbour"],
)
def test_whatever_learns_is_right(train: Lab, answer: str) -> None:
    verdict = train.verdict(answer)
    assert (verdict.points, verdict.status) == (2, "right"), verdict.text


@pytest.mark.parametrize(
    "answer",
    [TABLE, NEAREST_IN_TABLE, CONSTANT, LEAKED, KEPT, BLIND, UNTRAINED, OWN_WORD, NOT_A_NUMBER],
    ids=[
        *("table of a public data set", "nearest in a public data set", "constant", "labels from a global"),
        *("images kept in a global", "looks at nothing", "not trained", "accuracy by its own word", "nan"),
    ],
)
def test_what_does_not_learn_earns_nothing(train: Lab, answer: str) -> None:
    verdict = train.verdict(answer)
    assert (verdict.points, verdict.status) == (0, "wrong"), verdict.text


def test_what_was_reached_is_handed_back(train: Lab) -> None:
    """Numbers that the judge computed itself; nothing that a function returned."""
    shown = train.verdict(CONSTANT).text
    told = r"Accuracy \d+% on 100 new images, at least 80% is asked for; it is the same class for all of them"
    assert re.search(told, shown), shown


def test_right_but_too_slow_keeps_the_points_of_what_it_did_in_time(train: Lab) -> None:
    verdict = train.verdict(SLOW)
    assert (verdict.points, verdict.status) == (1, "too slow"), verdict.text
    assert verdict.reason.startswith("right so far, but too slow")
    assert verdict.groups == {"2 classes": True, "10 classes": False}
    assert verdict.seconds < load(train.exercise).seconds + 4


def test_one_that_never_ends_costs_the_time_of_one_call(train: Lab) -> None:
    verdict = train.verdict(ENDLESS)
    assert (verdict.points, verdict.status) == (0, "too slow"), verdict.text
    assert verdict.seconds < load(train.exercise).seconds + 4


def test_torch_is_warm_has_one_thread_and_survives_the_fork_after_a_training(train: Lab) -> None:
    """The snapshot that is judged is a fork of a process in which a student has trained."""
    own = "import sys\nprint('torch' in sys.modules, torch.get_num_threads())"
    own += "\nmodel = train(np.random.rand(300, 1, 8, 8), np.arange(300) % 3)\nprint(predict(model, np.ones((1, 1, 8, 8))).shape)"
    result = train.grade(f"{TORCH}\n{own}")
    assert [(v.points, v.status) for v in result.verdicts] == [(2, "right")], result.verdicts[0].text
    outputs = nbformat.reads(result.notebook, 4).cells[1].outputs
    assert [line for out in outputs for line in out.text.splitlines()] == ["True 1", "torch.Size([1, 3])"]


def test_an_answer_that_asks_for_more_threads_gets_one_and_does_not_hang(train: Lab) -> None:
    """Threads do not survive the fork to the snapshot; whoever waits for them there waits for ever."""
    own = "torch.set_num_threads(4)\n(torch.ones(900, 900) @ torch.ones(900, 900)).sum()"
    verdict = train.verdict(f"{own}\n{TORCH}\ntrain(np.random.rand(2000, 1, 28, 28), np.arange(2000) % 3)")
    assert (verdict.points, verdict.status) == (2, "right"), verdict.text


def test_the_same_submission_gets_the_same_verdict_again(train: Lab) -> None:
    """A training is random; the generators that everybody uses start the same each time."""
    weak = TORCH.replace("range(60)", "range(4)")
    one, other = train.verdict(weak), train.verdict(weak)
    assert replace(one, seconds=0) == replace(other, seconds=0)


# ------------------------------------------------------------------------------------------ in the notebook


def functions(source: str, *names: str) -> list[Callable[..., Any]]:
    import torch

    scope: dict[str, Any] = {"np": np, "torch": torch, "nn": torch.nn, "__name__": "__main__"}
    exec(source, scope)
    return [scope[name] for name in names]


def test_check_says_what_is_reached_and_returns_the_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("judged.train", *functions(SOFTMAX, "train", "predict")) == 2.0
    assert "all 2 cases right" in capsys.readouterr().out
    assert check("judged.train", *functions(CONSTANT, "train", "predict")) == 0.0
    shown = capsys.readouterr().out
    assert "on 100 new images, at least 80% is asked for; it is the same class for all of them" in shown
    assert check("judged.block", *functions(NO_RELU, "Block")) == 0.0
    assert "Hint: There is no ReLU" in capsys.readouterr().out


def test_check_leaves_the_random_numbers_of_the_notebook_alone() -> None:
    import torch

    np.random.seed(5)
    torch.manual_seed(5)
    expected = np.random.rand(), torch.rand(1).item()
    np.random.seed(5)
    torch.manual_seed(5)
    judge(load("judged.train"), LocalCandidate(*functions(TORCH, "train", "predict"), way="training"))
    assert (np.random.rand(), torch.rand(1).item()) == expected


def test_every_seed_of_a_small_case_is_tried_before_a_large_one() -> None:
    """A too slow answer ends the trial: by then everything smaller has been tried."""
    slow = functions(SLOW.replace("time.sleep(60)", "raise RuntimeError"), "train", "predict")
    found = judge(load("judged.train"), LocalCandidate(*slow, way="training"), 1, 2, 3)
    assert [r.case.group for r in found.results] == 3 * ["2 classes"] + 3 * ["10 classes"]
    assert found.points == 1


# ----------------------------------------------------------------------------------- disguise and accuracy


def data(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice([3, 5, 8], 2 * shape[0])
    images = rng.random((2 * shape[0], *shape[1:]))
    return images[: shape[0]], labels[: shape[0]], images[shape[0] :], labels[shape[0] :]


@pytest.mark.parametrize("shape", [(12, 3, 6, 6), (12, 1, 4, 7), (12, 5, 5)])
def test_a_disguise_is_one_and_the_same_for_all_images(shape: tuple[int, ...]) -> None:
    """Distances between images keep their order and classes stay together, whatever the symmetry."""
    images, labels, new_images, new_labels = data(shape)
    hidden, numbers, new_hidden, new_numbers = disguise(*data(shape), np.random.default_rng(1))
    assert hidden.dtype == np.float64 and numbers.dtype == np.int64
    assert set(numbers) | set(new_numbers) == {0, 1, 2}

    def spectrum(some: np.ndarray) -> np.ndarray:
        flat = some.reshape(len(some), -1)
        return np.sort(np.linalg.norm(flat[:, None] - flat, axis=2).ravel())

    both, both_hidden = np.concatenate([images, new_images]), np.concatenate([hidden, new_hidden])
    before, after = spectrum(both), spectrum(both_hidden)
    scale = after[-1] / before[-1]
    np.testing.assert_allclose(after, scale * before, rtol=1e-6, atol=1e-5)
    counts = [sorted(np.unique(some, return_counts=True)[1]) for some in (labels, numbers)]
    assert counts[0] == counts[1]
    counts = [sorted(np.unique(some, return_counts=True)[1]) for some in (new_labels, new_numbers)]
    assert counts[0] == counts[1]


def test_no_image_stays_as_it_was_and_nothing_given_is_changed() -> None:
    given = data((20, 1, 6, 6))
    copies = [array.copy() for array in given]
    for seed in range(30):
        hidden = disguise(*given, np.random.default_rng(seed))[0]
        flat = [np.argsort(image.ravel()).tobytes() for image in hidden]
        assert not {np.argsort(image.ravel()).tobytes() for image in given[0]} & set(flat)
    assert all(np.array_equal(a, b) for a, b in zip(given, copies, strict=True))


def test_a_disguise_is_another_one_with_another_seed() -> None:
    made = {disguise(*data((8, 3, 5, 5)), np.random.default_rng(s))[0].tobytes() for s in range(20)}
    assert len(made) == 20


def test_images_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"images of shape \(8, 16\)"):
        disguise(*data((8, 16)), np.random.default_rng(0))


@pytest.fixture
def asked() -> Case:
    return training_case("learns 3 classes", data((50, 1, 4, 4)), np.random.default_rng(0), accuracy=0.9)


@pytest.fixture
def asked_for_scores() -> Case:
    rng = np.random.default_rng(0)
    return training_case("learns 3 classes", data((50, 1, 4, 4)), rng, accuracy=0.9, cross_entropy=0.5)


def test_labels_of_new_images_are_held_back(asked: Case) -> None:
    assert list(asked.arguments) == ["images", "labels", "new_images"]
    assert len(asked.held["labels"]) == len(asked.arguments["new_images"]) == 50


@pytest.mark.parametrize(
    "form", [np.asarray, list, lambda n: 5 * np.eye(3)[n], lambda n: n.astype(np.float32)]
)
def test_class_numbers_and_scores_are_read_alike(asked: Case, form: Callable[..., Any]) -> None:
    labels = asked.held["labels"]
    assert accept_accuracy(asked, form(labels)) is None
    problem = accept_accuracy(asked, form((labels + 1) % 3))
    assert problem is not None and problem.rung is Rung.VALUE and "accuracy 0% on 50" in problem.text


@pytest.mark.parametrize(
    ("value", "rung", "words"),
    [
        (
            "cat",
            Rung.TYPE,
            "the text 'cat'; expected scores of shape (50, 3) or class numbers of shape (50,)",
        ),
        (1, Rung.TYPE, "the prediction is the int 1"),
        ({"classes": [1]}, Rung.TYPE, "a dict of 1 item"),
        ([[1], [1, 2]], Rung.TYPE, "different lengths"),
        (["0"] * 50, Rung.TYPE, "a list of 50 items"),
        (np.zeros(49), Rung.SHAPE, "shape (49,)"),
        (np.zeros((50, 4)), Rung.SHAPE, "shape (50, 4)"),
        (np.zeros((50, 3, 1)), Rung.SHAPE, "shape (50, 3, 1)"),
        (np.full((50, 3), np.nan), Rung.DTYPE, "150 of the 150 predicted values are nan or infinite"),
        (np.full(50, np.inf), Rung.DTYPE, "50 of the 50"),
    ],
)
def test_the_lower_rungs_speak_first(asked: Case, value: Any, rung: Rung, words: str) -> None:
    problem = accept_accuracy(asked, value)
    assert problem is not None and problem.rung is rung and words in problem.text


def test_guessing_is_called_guessing(asked: Case) -> None:
    problem = accept_accuracy(asked, np.random.default_rng(3).integers(0, 3, 50))
    assert problem is not None and "guessing gives" in problem.text
    problem = accept_accuracy(asked, (asked.held["labels"] + 1) % 3)
    assert problem is not None and "the largest score is that of the likeliest class" in problem.text
    half = np.where(np.arange(50) < 35, asked.held["labels"], 99)
    problem = accept_accuracy(asked, half)
    assert problem is not None and problem.text.endswith(
        "accuracy 70% on 50 new images, at least 90% is asked for"
    )


def test_the_judge_computes_the_cross_entropy_itself(asked_for_scores: Case) -> None:
    labels = asked_for_scores.held["labels"]
    right = np.eye(3)[labels]
    assert accept_accuracy(asked_for_scores, 5 * right) is None
    assert accept_accuracy(asked_for_scores, 1e300 * right) is None
    problem = accept_accuracy(asked_for_scores, right)  # odds, not scores: -log(e / (e + 2))
    assert problem is not None and problem.rung is Rung.VALUE
    assert "cross-entropy 0.551 on 50 new images, at most 0.5 is asked for" in problem.text
    problem = accept_accuracy(asked_for_scores, labels)
    assert problem is not None and problem.rung is Rung.SHAPE


def test_the_exercises_of_this_test_are_unknown_outside_of_it() -> None:
    assert "judged" not in chapters()
