"""What stands here is found by `labs.registered`, not by pytest."""

collect_ignore_glob = ["*.py"]
