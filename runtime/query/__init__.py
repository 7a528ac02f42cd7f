"""Queries to results: names are looked up, runs selected and grouped, metrics reduced."""

from .evaluate import evaluate as evaluate
from .evaluate import select as select
from .result import Result as Result
from .view import View as View
