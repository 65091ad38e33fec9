"""The exercises, one module each; `EXERCISES` in a chapter's package gives their order."""
