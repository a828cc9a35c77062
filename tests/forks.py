"""Processes that tests fork off: all from one, which has imported what any of them needs; a second list replaces it."""

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.preloaded"])
