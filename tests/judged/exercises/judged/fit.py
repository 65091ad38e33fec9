"""Exercise: a classifier whose training may take a minute."""

from cnncourse.exercises.judged import train as softmax

from cnncourse.checking import Exercise
from cnncourse.checking.training import accept_accuracy


def fit(images, labels):
    """Learn from images, shape (N, C, H, W), and labels, shape (N,)."""
    return softmax.train(images, labels)


exercise = Exercise(
    solution=fit,
    companions=(softmax.predict,),
    cases=softmax.cases,
    points=2,
    way="training",
    accept=accept_accuracy,
    seconds=60.0,
    draws=1,
    prompt="Train a network.",
    hints=("Begin with few passes.",),
    remark="It took a while.",
)
