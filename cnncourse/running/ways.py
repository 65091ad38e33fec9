"""How arguments become calls: a function, a torch module built from its parameters, a training run.

An answer gets plain data and plain data comes back, also where it is a class or a pair of functions. So an
answer can run where the one who judges it is not.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cnncourse.running.plain import Plain

Invoke = Callable[[Callable[..., Any], dict[str, Plain]], Any]


def call_function(invoke: Invoke, answers: Sequence[Any], arguments: dict[str, Plain]) -> Any:
    """Call the one function with the arguments."""
    return invoke(answers[0], arguments)


def call_module(invoke: Invoke, answers: Sequence[Any], arguments: dict[str, Plain]) -> Any:
    """Build a module, give it parameters and buffers, and return its outputs.

    Parameters
    ----------
    answers : the class, a subclass of `torch.nn.Module`
    arguments : ``init`` (dict, for the constructor), ``state`` (list of arrays, in the order in which the
        module registers its parameters and buffers), ``inputs`` (list of arrays), ``training`` (bool)

    Raises
    ------
    ValueError
        If the module has other parameters and buffers than `state`; the message gives the shapes.
    """
    import torch

    module = invoke(answers[0], arguments["init"])
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"the answer makes a {type(module).__name__}, not a torch.nn.Module")
    own, wanted = list(module.state_dict().values()), arguments["state"]
    if [tuple(tensor.shape) for tensor in own] != [array.shape for array in wanted]:
        raise ValueError(
            f"parameters and buffers have shapes {[tuple(tensor.shape) for tensor in own]}, "
            f"expected {[array.shape for array in wanted]}"
        )
    with torch.no_grad():
        for tensor, array in zip(own, wanted, strict=True):
            tensor.copy_(torch.as_tensor(array))
        module.train(arguments["training"])
        with fixed_seeds():
            return module(*(torch.as_tensor(array) for array in arguments["inputs"]))


def train_and_predict(invoke: Invoke, answers: Sequence[Any], arguments: dict[str, Plain]) -> Any:
    """Train on some images and return what is predicted for others.

    Parameters
    ----------
    answers : such as ``train(images, labels)``, returning a model of any kind, and ``predict(model, images)``
    arguments : ``new_images``, and all that `train` is given, such as ``images``, ``labels``
    """
    train, predict = answers
    with fixed_seeds():
        given = {name: value for name, value in arguments.items() if name != "new_images"}
        model = invoke(train, given)
        return predict(model, arguments["new_images"])


@contextlib.contextmanager
def fixed_seeds() -> Iterator[None]:
    """Seed the generators that a program shares, so that a judgement can be repeated; then put them back."""
    python, numbers, torch = random.getstate(), np.random.get_state(), sys.modules.get("torch")
    tensors = torch.get_rng_state() if torch else None
    random.seed(0)
    np.random.seed(0)
    if torch:
        torch.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)
        if torch:
            torch.set_rng_state(tensors)


WAYS: dict[str, Callable[[Invoke, Sequence[Any], dict[str, Plain]], Any]] = {
    "function": call_function,
    "module": call_module,
    "training": train_and_predict,
}
