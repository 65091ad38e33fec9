"""The one error that the commands for a class raise."""


class ClassroomError(Exception):
    """Something that the instructor can mend; its text is one line that says what and how."""
