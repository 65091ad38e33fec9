"""The ladder of feedback: what a student reads for each kind of wrong answer."""

import linecache
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from cnncourse.checking import LocalCandidate, check, judge, load
from cnncourse.checking.card import hint_box
from cnncourse.running.timelimit import TimeUp, time_limit

CONV = "ch02_conv2d.conv2d"
PAD = "ch02_conv2d.pad2d"
COST = "ch02_conv2d.conv2d_cost"


def answer(source, name, **scope):
    """Make the function `name` as a student's cell would, with its source readable."""
    source = textwrap.dedent(source).lstrip()
    filename = f"/cell-{abs(hash(source))}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {"np": np, "__name__": "__main__", **scope}
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def report(exercise_id, source, **scope):
    exercise = load(exercise_id)
    return judge(exercise, LocalCandidate(answer(source, exercise.name, **scope)))


RIGHT_PAD = """
    def pad2d(x, padding):
        N, C, H, W = x.shape
        out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
        out[:, :, padding:padding + H, padding:padding + W] = x
        return {returned}
"""

RIGHT_CONV = {
    "sliding_window_view": """
        def conv2d(x, weight, bias, stride=1, padding=0):
            p = padding
            x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
            view = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
            return np.einsum("nchwij,ocij->nohw", view[:, :, ::stride, ::stride], weight) + bias[:, None, None]
        """,
    "as_strided, keyword-only": """
        def conv2d(x, weight, *, bias, stride=1, padding=0):
            p, s = padding, stride
            x = np.ascontiguousarray(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))))
            O, C, A, B = weight.shape
            N, _, H, W = x.shape
            sn, sc, sh, sw = x.strides
            shape = (N, C, (H - A) // s + 1, (W - B) // s + 1, A, B)
            view = np.lib.stride_tricks.as_strided(x, shape, (sn, sc, sh * s, sw * s, sh, sw))
            return np.tensordot(view, weight, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + bias.reshape(1, -1, 1, 1)
        """,
    "own names, by position, nested lists": """
        def conv2d(image, kernels, b, s=1, p=0):
            image = np.pad(image, ((0, 0), (0, 0), (p, p), (p, p)))
            O, C, A, B = kernels.shape
            rows, cols = (image.shape[2] - A) // s + 1, (image.shape[3] - B) // s + 1
            return [[[[float((im[:, i*s:i*s+A, j*s:j*s+B] * k).sum() + bb) for j in range(cols)]
                      for i in range(rows)] for k, bb in zip(kernels, b)] for im in image]
        """,
    "im2col and matmul, float32": """
        def columns(x, a, b, s):
            n, c, h, w = x.shape
            rows, cols = (h - a) // s + 1, (w - b) // s + 1
            parts = [x[:, :, i*s:i*s+a, j*s:j*s+b].reshape(n, -1) for i in range(rows) for j in range(cols)]
            return np.stack(parts, axis=2), rows, cols

        def conv2d(x, weight, bias, stride=1, padding=0):
            x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2)).astype(np.float32)
            cols, rows, columns_ = columns(x, *weight.shape[2:], stride)
            out = weight.astype(np.float32).reshape(len(weight), -1) @ cols + bias.astype(np.float32)[:, None]
            return out.reshape(len(x), len(weight), rows, columns_)
        """,
    "takes anything": """
        def conv2d(*args, **kwargs):
            return inner(*args, **kwargs)

        def inner(x, weight, bias, stride=1, padding=0):
            x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
            rows = (x.shape[2] - weight.shape[2]) // stride + 1
            cols = (x.shape[3] - weight.shape[3]) // stride + 1
            out = np.empty((len(x), len(weight), rows, cols))
            for i in range(weight.shape[2]):
                for j in range(weight.shape[3]):
                    part = x[:, :, i:i + rows * stride:stride, j:j + cols * stride:stride]
                    term = np.einsum("nchw,oc->nohw", part, weight[:, :, i, j])
                    out = term if (i, j) == (0, 0) else out + term
            return out + bias[None, :, None, None]
        """,
}


@pytest.mark.parametrize("style", RIGHT_CONV)
def test_every_right_way_is_accepted(style):
    found = report(CONV, RIGHT_CONV[style])
    assert found.passed, found.text()
    assert not found.hint


@pytest.mark.parametrize("returned", ["out", "out.tolist()", "out.astype(np.float32)", "tuple(out.tolist())"])
def test_what_comes_back_may_be_a_list_or_float32(returned):
    assert report(PAD, RIGHT_PAD.format(returned=returned)).passed


def test_tensors_and_parameters_are_read_as_what_they_hold():
    torch = pytest.importorskip("torch")
    for returned in (
        "torch.tensor(out)",
        "torch.nn.Parameter(torch.tensor(out))",
        "torch.tensor(out).bfloat16()",
    ):
        found = report(PAD, RIGHT_PAD.format(returned=returned), torch=torch)
        assert found.passed or "bfloat16" in returned, found.text()


def test_numpy_scalars_are_read_as_plain_numbers():
    source = """
    def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
        size = (np.array([height, width]) + 2 * padding - np.array(kernel_size)) // stride + 1
        units = np.int64(out_channels) * size.prod()
        window = in_channels * np.prod(kernel_size)
        return {"output_shape": [out_channels, *size], "params": out_channels * (window + bias),
                "macs": np.array(units * window), "memory": 4 * units, "extra": None}
    """
    assert report(COST, source).passed


LADDER = {
    "raised, with the student's own line": (
        CONV,
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    y = 1\n    return helper(y)\n\ndef helper(y):\n    return y / 0",
        ["ZeroDivisionError: division by zero", "your line 6: `return y / 0`"],
    ),
    "returned None": (PAD, "def pad2d(x, padding):\n    out = 1", ["returned None", "return"]),
    "exit": (PAD, "def pad2d(x, padding):\n    raise SystemExit", ["raised SystemExit", "your line 2"]),
    "an argument missing": (PAD, "def pad2d(x):\n    return x", ["TypeError", "first line"]),
    "no default": (
        CONV,
        "def conv2d(x, weight, bias, stride, padding):\n    return x",
        ["missing 2 required positional arguments", "default values"],
    ),
    "a forbidden call": (
        PAD,
        "import numpy as xp\ndef pad2d(x, padding):\n    f = xp.pad\n    return f(x, padding)",
        ["uses numpy.pad (line 3: `f = xp.pad`)", "whole of this exercise"],
    ),
    "a forbidden call in a helper": (
        PAD,
        "from numpy import pad\n\ndef grow(x, p):\n    return pad(x, p)\n\ndef pad2d(x, padding):\n    return grow(x, padding)",
        ["uses numpy.pad (line 4: `return pad(x, p)`)"],
    ),
    "this package's own answer": (
        PAD,
        "def pad2d(x, padding):\n    from cnncourse.layers.conv import pad2d as p\n    return p(x, padding)",
        ["uses cnncourse.layers.windows.pad2d (line 3"],
    ),
    "a subclass": (
        PAD,
        "class Same(np.ndarray):\n    def __eq__(self, other):\n        return True\n\n"
        "def pad2d(x, padding):\n    return np.zeros(3).view(Same)",
        ["an object of type Same", "np.asarray"],
    ),
    "an object of one's own": (
        PAD,
        "class Anything:\n    def __eq__(self, other):\n        return True\n    def __array__(self):\n        return np.zeros(1)\n\n"
        "def pad2d(x, padding):\n    return Anything()",
        ["an object of type Anything"],
    ),
    "objects in an array": (
        PAD,
        "def pad2d(x, padding):\n    return np.array([None])",
        ["array of dtype object"],
    ),
    "two things for one": (PAD, "def pad2d(x, padding):\n    return x, padding", ["tuple of 2 things"]),
    "a ragged list": (PAD, "def pad2d(x, padding):\n    return [[1], [1, 2]]", ["different lengths"]),
    "a text": (PAD, "def pad2d(x, padding):\n    return 'done'", ["the text 'done'"]),
    "wrong shape": (
        PAD,
        "def pad2d(x, padding):\n    return np.zeros(x.shape)",
        ["shape (1, 1, 2, 3), expected (1, 1, 4, 5)", "axis 2 (H) is 2 instead of 4"],
    ),
    "axes mixed up": (
        CONV,
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    return np.zeros((1, 1, 4, 3))",
        ["same sizes in another order, axis 2 (H_out) and axis 3 (W_out) are mixed up"],
    ),
    "too few axes": (PAD, "def pad2d(x, padding):\n    return x[0]", ["3 axes instead of 4"]),
    "fractions cut off": (
        PAD,
        RIGHT_PAD.format(returned="out.astype(int)"),
        ["dtype int64, which cut off what stands behind the decimal point"],
    ),
    "NaN": (PAD, RIGHT_PAD.format(returned="out / 0 * 0"), ["is nan", "not finite"]),
    "wrong value": (PAD, RIGHT_PAD.format(returned="out + 1"), ["got ", "expected ", "all 20 values differ"]),
    "wrong in one row": (
        PAD,
        RIGHT_PAD.format(returned="np.concatenate([out[:, :, :-1], out[:, :, -1:] + 1], axis=2)"),
        ["5 of 20 values differ, all at index 3 of H"],
    ),
    "wrong on the border": (
        PAD,
        "def pad2d(x, padding):\n    N, C, H, W = x.shape\n    out = np.full((N, C, H + 2 * padding, W + 2 * padding), 9.0)\n"
        "    out[:, :, padding:padding + H, padding:padding + W] = x\n    return out",
        ["14 of 20 values differ, all on the border"],
    ),
    "a float for an int": (
        COST,
        "def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):\n"
        "    h = (height + 2 * padding - kernel_size[0]) / stride + 1\n"
        "    return {'output_shape': (out_channels, h, h), 'params': 1, 'macs': 1, 'memory': 1}",
        ["the float 28.0; expected the int 28", "`//` keeps ints"],
    ),
    "a missing key": (
        COST,
        "def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):\n"
        "    return {'shape': 1}",
        ['has no key "output_shape"; its keys are "shape"'],
    ),
    "too few values": (
        COST,
        "def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):\n"
        "    return {'output_shape': (1, 2), 'params': 1, 'macs': 1, 'memory': 1}",
        ["has 2 values, expected 3"],
    ),
    "no dict": (
        COST,
        "def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):\n"
        "    return 1, 2, 3, 4",
        ['a tuple of 4 items; expected a dict with the keys "output_shape"'],
    ),
}


@pytest.mark.parametrize("situation", LADDER)
def test_the_ladder_names_what_is_wrong(situation):
    exercise_id, source, expected = LADDER[situation]
    found = report(exercise_id, source)
    assert not found.passed
    for words in expected:
        assert words in found.text()
    assert found.html().count("<div") == found.html().count("</div>")


def test_an_answer_that_is_no_function():
    found = judge(load(PAD), LocalCandidate(3))
    assert "something of type int, not a function" in found.text()
    assert found.points == 0


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="older NumPy takes float(array)")
def test_float_of_an_array_is_explained():
    found = report(CONV, "def conv2d(x, weight, bias, stride=1, padding=0):\n    return float(weight)")
    assert "your line 2: `return float(weight)`" in found.text()
    assert "A single number was needed here and an array came" in found.text()


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("return weight if weight > 0 else bias", "An `if` needs one yes or no"),
        ("a = np.zeros(3, int); a += 0.5", "takes no fractions"),
        ("return max([])", "what is searched here is empty"),
        ("return {'stride': 1}.stride", "fetched by its key"),
        ("return np.zeros((0, 3)).max()", "what is searched here is empty"),
        ("return np.zeros((0, 3))[-1]", "This axis has no places at all"),
        ("return [][0]", "shorter than the index"),
        ("return np.zeros(3)[np.ones(2, bool)]", "A mask has one True or False for each place"),
        ("a, b = None", "A function called before this line returned nothing"),
        ("total += 1", "here it has no value yet"),
    ],
)
def test_what_beginners_meet_most_is_explained(line, means):
    found = report(CONV, f"def conv2d(x, weight, bias, stride=1, padding=0):\n    {line}")
    assert f"your line 2: `{line}`" in found.text()
    assert means in found.text()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((np.pad,), "first the name of the exercise, in quotes"),
        ((CONV,), "0 functions came, 1 belong to it"),
        (("ch12_yolo.train_yolo", np.pad), 'check("ch12_yolo.train_yolo", train_yolo, predict)'),
    ],
)
def test_a_call_of_check_without_the_name_or_a_function_says_how(given, words):
    with pytest.raises(TypeError) as raised:
        check(*given)
    assert words in str(raised.value)


def test_a_word_in_a_hint_may_be_stressed():
    box = hint_box("apart along x *and* y, in `(D, C * h * w)`, 2*x*y")
    assert "x <em>and</em> y, in <code>(D, C * h * w)</code>, 2*x*y" in box


def test_one_result_where_several_are_asked_for_earns_nothing_and_says_so():
    """The one bias of one kernel is as long as nothing else, and would pass for a part."""
    source = "def conv2d_backward(grad_out, x, weight, stride=1, padding=0):\n    return grad_out.sum(axis=(0, 2, 3))"
    found = report("ch05_backprop.conv2d_backward", source)
    assert found.points == 0
    assert "output is an array of shape" in found.text()
    assert "expected 3 results, with commas between them" in found.text()


def test_an_empty_slice_is_explained():
    found = report(
        CONV,
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    p = padding\n    out = np.zeros(x.shape)\n"
        "    out[:, :, p:-p, p:-p] = x\n    return out",
    )
    assert "The slice on the left is empty" in found.text()
    found = report(
        PAD,
        RIGHT_PAD.format(returned="out").replace(
            "padding:padding + H, padding:padding + W", "padding:-padding, padding:-padding"
        ),
    )
    assert "With padding 0 the slice `[p:-p]` is `[0:0]`" in found.text()


def test_changing_the_input_in_place_is_named():
    source = """
    def pad2d(x, padding):
        N, C, H, W = x.shape
        out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
        out[:, :, padding:padding + H, padding:padding + W] = x
        x[:] = 0
        return out
    """
    assert "changes its input `x` in place" in report(PAD, source).text()


def test_printing_is_caught_and_named(capsys):
    found = report(PAD, RIGHT_PAD.format(returned="(print('shape', out.shape), out)[1]"))
    assert found.passed
    assert "It printed while it was checked" in found.text()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "body",
    ["while True:\n        pass", "try:\n        while True: pass\n    except Exception:\n        pass"],
)
def test_an_endless_loop_is_stopped(body, monkeypatch):
    exercise = load(PAD)
    monkeypatch.setattr(exercise, "seconds", 0.3)
    start = time.monotonic()
    found = judge(exercise, LocalCandidate(answer(f"def pad2d(x, padding):\n    {body}", "pad2d")))
    assert time.monotonic() - start < 30
    assert "still running after 0.3 s" in found.text()
    assert "your line" in found.text()
    assert [result.tried for result in found.results].count(True) == 1


def test_partial_points_are_the_share_of_groups_that_hold():
    source = RIGHT_CONV["sliding_window_view"].replace("::stride, ::stride", ":, :")
    found = report(CONV, source)
    assert found.points == 3.0
    assert "`stride`" in found.hint
    wrong_part = """
    def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
        h = (height + 2 * padding - kernel_size[0]) // stride + 1
        w = (width + 2 * padding - kernel_size[1]) // stride + 1
        return {"output_shape": (out_channels, h, w), "params": 1, "macs": 2, "memory": 4 * out_channels * h * w}
    """
    assert report(COST, wrong_part).points == 1.0


def test_two_wrong_parts_are_diagnosed_one_at_a_time():
    source = """
    def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):
        a, b = kernel_size
        h = (height + 2 * padding - a) // stride + 1
        w = (width + 2 * padding - b) // stride + 1
        return {"output_shape": (out_channels, h, w), "params": out_channels * in_channels * a * b,
                "macs": 0, "memory": 8 * out_channels * h * w}
    """
    assert "leaves out the biases" in report(COST, source).hint


@pytest.mark.parametrize(
    "source",
    [
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    return np.zeros((1, 1, 2, 3))",
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    return x",
        RIGHT_CONV["sliding_window_view"].replace("+ bias", "- 3 * bias"),
        RIGHT_CONV["sliding_window_view"].replace("weight)", "weight ** 2)"),
    ],
)
def test_no_hint_is_better_than_a_wrong_one(source):
    assert report(CONV, source).hint == ""


def test_check_shows_text_and_returns_a_plain_float(capsys):
    points = check(PAD, answer(RIGHT_PAD.format(returned="out"), "pad2d"))
    assert type(points) is float
    assert points == 1.0
    out, err = capsys.readouterr()
    assert out.startswith("pad2d: all 6 cases right, 1 of 1 point.")
    assert err == ""
    assert check(PAD, lambda x, padding: None) == 0.0


def test_the_report_is_the_same_every_time():
    source = RIGHT_CONV["sliding_window_view"].replace("::stride, ::stride", ":, :")
    assert report(CONV, source).text() == report(CONV, source).text()


def test_the_card_escapes_what_a_student_wrote():
    found = report(PAD, "def pad2d(x, padding):\n    raise ValueError('<script>alert(1)</script>')")
    assert "<script>" not in found.html()
    assert "&lt;script&gt;" in found.html()


def test_the_card_draws_the_map_that_is_wrong():
    html = report(PAD, RIGHT_PAD.format(returned="out + 1")).html()
    assert html.count("<svg") == 3
    assert 'role="img" aria-label="expected: 4 by 5 values' in html


def test_an_unknown_exercise_is_named():
    with pytest.raises(ValueError, match=r"no exercise 'ch02_conv2d.convv'; there are ch02_conv2d.pad2d"):
        check("ch02_conv2d.convv", None)
    with pytest.raises(ValueError, match="no exercise"):
        check("pad2d", None)


ODD = {
    "an error that cannot be shown": (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\n\ndef pad2d(x, padding):\n    raise Odd",
        "it raised Odd",
    ),
    "an error with half a character": (
        "def pad2d(x, padding):\n    raise ValueError('\\ud800')",
        "it raised ValueError: ?",
    ),
    "an error of a hundred thousand lines": (
        "def pad2d(x, padding):\n    raise ValueError('a\\n' * 100_000)",
        "it raised ValueError: a a a",
    ),
    "an error that no `except Exception` catches": (
        "class Out(BaseException):\n    pass\n\ndef pad2d(x, padding):\n    raise Out('bye')",
        "it raised Out: bye",
    ),
    "a number of six thousand digits": (
        "def pad2d(x, padding):\n    return 10 ** 6000",
        "more than 1024 bits",
    ),
    "stdout closed": (
        "import sys\ndef pad2d(x, padding):\n    sys.stdout.close()\n    return 1",
        "the int 1",
    ),
    "a flood of prints": (
        "def pad2d(x, padding):\n    for _ in range(10_000):\n        print('x' * 1000)\n    return 1",
        "It printed while it was checked",
    ),
    "an object that raises whatever it is asked": (
        "class Odd:\n    def __getattribute__(self, name):\n        raise ZeroDivisionError\n\nodd = Odd()\n\n"
        "def pad2d(x, padding):\n    odd\n    return 1",
        "the int 1",
    ),
    "a function that wraps itself": (
        "def pad2d(x, padding):\n    return 1\n\npad2d.__wrapped__ = pad2d",
        "the int 1",
    ),
    "NumPy told to raise": (
        "def pad2d(x, padding):\n    np.seterr(all='raise')\n    return x * 1e308 * 10",
        "FloatingPointError",
    ),
    "a generator": ("def pad2d(x, padding):\n    yield x", "use `return`, not `yield`"),
    "a coroutine": ("async def pad2d(x, padding):\n    return x", "write `def`, not `async def`"),
    "a dict of another kind": (
        "import collections\ndef pad2d(x, padding):\n    return collections.OrderedDict()",
        "wrap it in dict(...)",
    ),
    "an index that is not there": ("def pad2d(x, padding):\n    return [][0]", "IndexError"),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_odd_answers_get_a_line_like_any_other(what):
    source, words = ODD[what]
    before = np.geterr()
    found = report(PAD, source)
    assert words in found.text()
    assert len(found.text()) < 3000
    found.html().encode("utf-8")
    assert np.geterr() == before


def test_a_tracer_still_works_after_a_check():
    """Python 3.11 hangs in the first traced function if an asynchronous exception was ever withdrawn."""
    code = (
        "import sys\nfrom cnncourse.running.timelimit import time_limit, TimeUp\n"
        "with time_limit(5):\n    pass\n"
        "try:\n    with time_limit(0.05):\n        while True:\n            pass\nexcept TimeUp:\n    print('stopped')\n"
        "def traced():\n    return 1\n"
        "sys.settrace(lambda *event: None)\ntraced()\nsys.settrace(None)\nprint('traced')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["stopped", "traced"]


each_thread_has_a_clock = pytest.mark.skipif(
    not hasattr(time, "pthread_getcpuclockid"), reason="this system has no clock for each thread"
)


@each_thread_has_a_clock
def test_time_is_what_an_answer_computes():
    with time_limit(1, slack=3):
        time.sleep(1.2)  # as on a computer that does other work meanwhile


@each_thread_has_a_clock
def test_what_other_threads_compute_is_not_the_answers_time():
    done = threading.Event()

    def compute():
        while not done.is_set():
            sum(range(1000))

    others = [threading.Thread(target=compute) for _ in range(3)]
    for other in others:
        other.start()
    try:
        with time_limit(1, slack=8):
            time.sleep(2)
    finally:
        done.set()
        for other in others:
            other.join()


def test_with_slack_the_time_is_up_all_the_same():
    with pytest.raises(TimeUp):
        wait(0.1)


def wait(seconds):
    with time_limit(seconds, slack=3):
        while True:
            time.sleep(0.01)


FORBIDDEN = {
    "in a method": "class Frame:\n    def grow(self, x, p):\n        return np.pad(x, p)\n\ndef pad2d(x, padding):\n    return Frame().grow(x, padding)",
    "as a method": "class Frame:\n    def grow(self, x, padding):\n        return np.pad(x, padding)\n\npad2d = Frame().grow",
    "as an object": "class Frame:\n    def __call__(self, x, padding):\n        return np.pad(x, padding)\n\npad2d = Frame()",
    "in a partial of its own": "import functools\ngrow = functools.partial(np.pad, mode='constant')\ndef pad2d(x, padding):\n    return grow(x, padding)",
    "in a partial": "import functools\ndef grow(mode, x, padding):\n    return np.pad(x, padding, mode)\n\npad2d = functools.partial(grow, 'constant')",
    "itself": "pad2d = np.pad",
    "this package's windows": "from cnncourse.layers.conv import windows2d as w\ndef pad2d(x, padding):\n    return w(x, 2)",
    "this package as a module": "import cnncourse.layers.conv as c\ndef pad2d(x, padding):\n    return c.pad2d(x, padding)",
}


@pytest.mark.parametrize("where", FORBIDDEN)
def test_a_forbidden_call_is_found_wherever_it_stands(where):
    found = judge(load(PAD), LocalCandidate(answer(FORBIDDEN[where], "pad2d")))
    assert "which would be the whole of this exercise" in found.text()
    assert "not counted, 0 of 1 point" in found.text()


def test_a_name_of_ones_own_is_not_taken_for_the_library():
    source = "from numpy import *\n\ndef pad2d(x, padding):\n    pad = padding\n" + textwrap.indent(
        textwrap.dedent(RIGHT_PAD.format(returned="out"))
        .split("\n", 2)[2]
        .replace("np.", "")
        .replace("padding", "pad"),
        "",
    )
    found = judge(load(PAD), LocalCandidate(answer(source, "pad2d")))
    assert found.passed, found.text()


def test_an_answer_that_needs_an_unwritten_one_says_so():
    source = (
        "def pad2d(x, padding):\n    raise NotImplementedError('still to be written')\n\n"
        "def conv2d(x, weight, bias, stride=1, padding=0):\n    return pad2d(x, padding)"
    )
    found = report(CONV, source)
    assert not found.unwritten
    assert "It calls a function that is still to be written" in found.text()


def test_an_error_inside_is_not_blamed_on_the_first_line():
    found = report(PAD, "def pad2d(x, padding):\n    return np.sum(x, axes=1)")
    assert "unexpected keyword" in found.text() or "axes" in found.text()
    assert "first line" not in found.text()


def test_state_from_call_to_call_is_named():
    source = "seen = []\n\ndef pad2d(x, padding):\n    seen.append(1)\n    return np.zeros(len(seen))"
    assert "The same call ends differently the second time" in report(PAD, source).text()


def test_a_missing_dict_names_all_keys():
    source = "def conv2d_cost(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, bias=True):\n    return 1"
    assert 'with the keys "output_shape", "params", "macs", "memory"' in report(COST, source).text()
