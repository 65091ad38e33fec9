# The steps are in tools/course.py; `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || echo python3)
export BOOK_PORT ?= 8000
export LAB_PORT ?= 8888
export SERVE ?= 1

TARGETS := course labs vendor book pdf serve lint test test-fast bench venv clean
.PHONY: help $(TARGETS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: SERVE=0 ends \`make course\` after building; BOOK_PORT (8000), LAB_PORT (8888), PYTHON ($(PYTHON))."

course: ## everything: environment, labs, book, a sample class graded; then serve book and JupyterLab
labs: ## derive the instructor's and the students' notebooks from solutions/*.md
vendor: ## fetch Python for the browser, a font and axe-core into _build/vendor, pinned and checksummed
book: ## build the book into _build/html; a warning is an error
pdf: ## print the whole book as one PDF
serve: ## serve the built book and JupyterLab on work/
lint: ## ruff and mypy
test: ## every check that CI runs
test-fast: ## the tests without the book and without nbgrader
bench: ## how fast checks, layers, imports and the grading of a class are, as ratios
venv: ## .venv with the packages of requirements.txt
clean: ## remove what is generated (.venv too); work/ stays

$(TARGETS):
	@$(PYTHON) -m tools.course $@
