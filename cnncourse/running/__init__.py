"""Run one answer on plain data: in the process of the one who asks, or on the other side of a wall.

Nothing here knows a right answer. It is all that a sandbox needs of this package's machinery.
"""
