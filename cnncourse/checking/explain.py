"""What the usual error messages of Python and NumPy mean, in plain words."""

from __future__ import annotations

import re

SIGNATURE = (
    (
        r"unexpected keyword argument",
        "The function must take the arguments by the names in the task's first line: keep that line.",
    ),
    (
        r"missing \d+ required positional argument",
        "The function must have the default values of the task's first line: keep that line.",
    ),
    (
        r"takes \d+ positional argument",
        "The function must take all arguments of the task's first line: keep that line.",
    ),
)

MEANINGS = (
    (
        r"^ValueError: parameters and buffers have shapes",
        "The module has other parameters and buffers than the task asks for, or registers them in another "
        "order: compare `[tuple(t.shape) for t in module.state_dict().values()]` with the task.",
    ),
    (r"(tuple|list) index out of range", "The tuple or list is shorter than the index: print it."),
    (
        r"into shape \((\d+,)*0[,)]",
        "The slice on the left is empty: its end lies at or before its start. Print both. "
        "(`[p:-p]` does this when `p` is 0.)",
    ),
    (
        r"only (0-dimensional|length-1|size-1) arrays can be converted",
        "A single number was needed here and an array came, as in `float(b)` with an array `b`. "
        "Pick one number first (`b[i]`, `b.item()`), or sum the array.",
    ),
    (
        r"setting an array element with a sequence",
        "The left side is one number and the right side is an array. Look at the shapes on both sides: "
        "often a sum over the window is missing.",
    ),
    (
        r"truth value of an array with more than one element",
        "An `if` needs one yes or no, and a comparison of arrays gives one for each number: "
        "choose number by number, for example with `np.where` or a mask.",
    ),
    (
        r"Cannot cast ufunc .* to dtype\('u?int",
        "The array on the left holds whole numbers and takes no fractions: "
        "`np.zeros_like` of whole numbers makes whole numbers, `np.zeros(shape)` makes floats.",
    ),
    (
        r"an empty sequence|iterable argument is empty|zero-size array",
        "There is nothing to choose from: what is searched here is empty. Print its shape. If it was cut "
        "out, print where it begins and ends; if it was given so, answer that before this line.",
    ),
    (
        r"boolean index did not match|shape of the mask",
        "A mask has one True or False for each place that it picks from: print the shapes of both.",
    ),
    (
        r"'dict' object has no attribute",
        'What is in a dict is fetched by its key: `layer["stride"]`, not `layer.stride`.',
    ),
    (
        r"could not broadcast|operands could not be broadcast",
        "The two arrays have shapes that do not fit each other: print both `.shape`s just before this line. "
        "A slice that runs over the edge comes back smaller, "
        "and so does one whose end does not move with its start.",
    ),
    (
        r"out of bounds for axis \d+ with size 0",
        "This axis has no places at all: print the shape. If there may be nothing, answer that before this "
        "line.",
    ),
    (
        r"index \S+ is out of bounds",
        "A loop or an index runs past the end of an axis. Compare the range of the loop with the size of "
        "that axis.",
    ),
    (
        r"matmul: |shapes .* not aligned|mismatch in its core dimension",
        "In `a @ b` the last axis of `a` must be as long as the last but one of `b`.",
    ),
    (r"cannot reshape array", "The new shape has another number of values than the array. Count both."),
    (
        r"not enough values to unpack|too many values to unpack",
        "The left side names more or fewer things than come back: print the `.shape`.",
    ),
    (
        r"'float' object cannot be interpreted as an integer|slice indices must be integers",
        "A size or an index is a float: `/` makes floats, `//` keeps ints.",
    ),
    (
        r"is not defined",
        "This name is not known here: check its spelling, and that the cell that makes it has been run.",
    ),
    (
        r"assignment destination is read-only",
        "This array is a view that must not be written to: make a new one, for example with `np.zeros`.",
    ),
    (
        r"negative dimensions",
        "A size came out as 0 or less: print the sizes that it is computed from.",
    ),
    (r"maximum recursion depth", "The function calls itself without end."),
    (
        r"object is not callable",
        "This name holds a value, not a function: was a name such as `sum` or `range` used for a variable? "
        "Sizes are in square brackets: `x.shape[0]`.",
    ),
    (
        r"\bNoneType'? object",
        "A function called before this line returned nothing: does it end with `return`?",
    ),
    (
        r"UnboundLocalError",
        "The name is assigned in this function, so Python takes it as local everywhere in it, and here it "
        "has no value yet. Either the line that sets it was not run (it stands in an `if`, or in a loop over "
        "nothing), or it is also the name of something outside: give the result another name.",
    ),
    (
        r"unsupported operand .*'tuple'|can't multiply sequence by non-int of type 'tuple'",
        "A pair stands where a number is needed: `kernel_size` is `(K_h, K_w)`.",
    ),
    (
        r"axes don't match array",
        "The array has another number of axes than the order names: `x` has four, the batch is one of them.",
    ),
    (r"^NotImplementedError", "It calls a function that is still to be written: write that one first."),
    (r"^StdinNotImplementedError", "`input` asks a person and nobody is there: use the arguments."),
)


def explain(message: str, entered: bool = True) -> str:
    """Return what an error message means and where to look, or an empty string.

    `entered` is whether the call reached the student's code at all; if not, its first line does not fit.
    """
    meanings = MEANINGS if entered else (*SIGNATURE, *MEANINGS)
    return next((meaning for pattern, meaning in meanings if re.search(pattern, message)), "")
