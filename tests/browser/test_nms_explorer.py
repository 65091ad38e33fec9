"""Non-maximum suppression in the browser: the same steps as cnncourse.boxes.nms_steps."""

import re

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnncourse.boxes import nms_steps
from cnncourse.widgets import NMSExplorer

NAMES = ["boxes", "scores", "iou_threshold", "score_threshold", "step", "chosen"]


def state(page):
    return page.evaluate("names => Object.fromEntries(names.map((name) => [name, model.get(name)]))", NAMES)


def shown(page):
    """What the table says of each box, by its letter."""
    cells = "lines => lines.map((line) => [...line.children].map((cell) => cell.textContent))"
    return {row[0]: row[1:] for row in page.locator("tbody tr").evaluate_all(cells)}


def expected(page):
    now = state(page)
    explorer = NMSExplorer(**now)
    fates = {
        i: "score too low" if s < now["score_threshold"] else "undecided" for i, s in enumerate(now["scores"])
    }
    current = {}
    for at, step in enumerate(explorer.steps[: now["step"]]):
        current = dict(zip(step.rivals.tolist(), step.iou.tolist(), strict=True))
        fates[step.kept] = f"kept in step {at + 1}"
        for i in step.suppressed.tolist():
            fates[i] = f"suppressed by {chr(65 + step.kept)}, IoU {current[i]:.2f}"
    iou = {i: f"{current[i]:.3f}" if i in current else "–" for i in fates}
    return {chr(65 + i): [f"{s:.2f}", iou[i], fates[i]] for i, s in enumerate(now["scores"])}


def test_mathematics_agrees(mount, call):
    page = mount(NMSExplorer())
    rng = np.random.default_rng(3)
    for case in range(40):
        count = int(rng.integers(0, 13))
        start = rng.uniform(0, 30, (count, 2))
        boxes = np.hstack([start, start + rng.uniform(1, 30, (count, 2))])
        scores = rng.integers(0, 8, count) / 7  # with ties
        iou_threshold, score_threshold = [(0.5, 0.3), (0.2, 0), (0, 1 / 7), (0.7, 2 / 7)][case % 4]
        found = call(page, "nmsSteps", boxes.tolist(), scores.tolist(), iou_threshold, score_threshold)
        steps = nms_steps(boxes, scores, iou_threshold, score_threshold)
        assert [one["kept"] for one in found] == [step.kept for step in steps]
        for one, step in zip(found, steps, strict=True):
            assert one["rivals"] == step.rivals.tolist()
            assert one["suppressed"] == step.suppressed.tolist()
            np.testing.assert_allclose(one["iou"], step.iou, atol=1e-9)

    at_the_threshold = [[0, 0, 4, 4], [0, 0, 2, 4]]
    assert [one["kept"] for one in call(page, "nmsSteps", at_the_threshold, [0.9, 0.8], 0.5, 0.8)] == [0, 1]


def test_steps_by_keyboard(mount):
    page = mount(NMSExplorer(), width=390)
    assert shown(page) == expected(page)
    forward, back = page.get_by_role("button", name="Next step"), page.get_by_role("button", name="Back")
    count = len(NMSExplorer().steps)
    forward.focus()
    for step in range(2, count + 3):
        page.keyboard.press("Enter")
        assert state(page)["step"] == min(step, count)
        assert shown(page) == expected(page)
    assert forward.get_attribute("aria-disabled") == "true"
    assert page.evaluate("document.activeElement.textContent") == "Next step"
    back.focus()
    for step in range(count - 1, -1, -1):
        page.keyboard.press("Space")
        assert state(page)["step"] == step
        assert shown(page) == expected(page)
    page.get_by_text("No step yet: 7 of 7 boxes take part.").wait_for()


def test_thresholds_by_keyboard(mount):
    """All steps stay shown, however many the thresholds make of them; and the question has an answer."""
    page = mount(NMSExplorer())
    page.get_by_role("button", name="All steps").click()
    page.get_by_text(re.compile("The end: 6 boxes for 3 objects: ")).wait_for()
    page.get_by_label("score threshold").fill("0.49")
    page.get_by_label("score threshold").press("ArrowRight")
    page.get_by_label("IoU threshold").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert state(page)["score_threshold"] == pytest.approx(0.5)
    assert state(page)["iou_threshold"] == pytest.approx(0.4)
    page.get_by_text("The end: 3 boxes for 3 objects: B, D, F.").wait_for()
    assert shown(page) == expected(page)
    page.get_by_label("IoU threshold").press("End")
    assert shown(page) == expected(page)
    assert "undecided" not in {row[2] for row in shown(page).values()}


def test_boxes_move_by_pointer_keyboard_and_list(mount):
    page = mount(NMSExplorer())
    pixel = page.locator(".cx-plane-edge").bounding_box()["width"] / 80
    box = page.get_by_role("button", name=re.compile("^box F"))
    around = box.locator("rect").first.bounding_box()
    start = around["x"] + around["width"] / 2, around["y"] + 2
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] - 10 * pixel, start[1] + 5 * pixel)
    page.mouse.up()
    assert state(page)["boxes"][5] == [46, 15, 64, 41]
    assert state(page)["chosen"] == 5
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert state(page)["boxes"][5] == [47, 15, 65, 42]
    assert shown(page) == expected(page)
    page.get_by_label("chosen box").select_option("A")
    assert state(page)["chosen"] == 0
    page.get_by_label("its score").press("End")
    assert state(page)["scores"][0] == 1
    assert shown(page)["A"][2] == "kept in step 1"
    assert shown(page) == expected(page)


def test_state_set_from_outside_redraws(mount):
    page = mount(NMSExplorer())
    boxes = "boxes: [[0, 0, 9, 9], [1, 0, 9, 9]], scores: [0.2, 0.4], objects: []"
    page.evaluate(f"model.set({{ {boxes}, step: 12, chosen: 7 }})")
    page.get_by_text("The end: 1 box for 0 objects: B.").wait_for()
    assert list(shown(page)) == ["B", "A"]
    assert shown(page) == expected(page)
    assert page.get_by_label("chosen box").locator("option").count() == 2
    page.evaluate("model.set({ scores: [0.2] })")
    page.get_by_text("2 boxes need as many scores; there are 1.").wait_for()
    page.evaluate("model.set({ boxes: [], scores: [] })")
    page.get_by_text("No step yet: 0 of 0 boxes take part.").wait_for()
