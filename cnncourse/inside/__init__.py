"""What runs on the student's side of the wall when a class is graded.

A warm process (`zygote`) has imported what the lab imports and forks a kernel for each submission. The kernel
goes behind walls (`walls`, `syscalls`), then runs the cells (`shell`) and calls the answers (`serve`) as it
is told over a socket. None of it is trusted, once a student's code has run in it: what a kernel says are
claims, and the verdict is formed elsewhere. Nothing here may import the checks, the exercises or the grading.
"""
