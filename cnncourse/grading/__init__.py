"""Grading a class: what ``nbgrader_config.py`` plugs into nbgrader, and the commands for a class.

nbgrader alone runs students' code beside the checks, with the rights of whoever grades. Here a submission is

- read whatever its state, and put into the lab as it was released (`cnncourse.grading.exporter`);
- run in a sandbox without network, files or neighbours (`cnncourse.grading.sandbox`, `cnncourse.inside`);
- judged from outside, with inputs that nobody has seen (`cnncourse.grading.judging`, `.execute`);
- shown without any HTML or script of its own (`cnncourse.grading.safe`).

Students' originals in ``submitted/`` are only read. Nothing is imported here: nbgrader takes a second.
"""
