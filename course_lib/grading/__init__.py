"""Exercises: what they ask, the check in the notebook, and the grading of a class."""

from .notebook import check, hint, solution
from .plain import Code
from .rubric import (
    Edit,
    FunctionQuestion,
    Mistake,
    OrderQuestion,
    Question,
    Rubric,
    RuleQuestion,
)

__all__ = [
    "Code",
    "Edit",
    "FunctionQuestion",
    "Mistake",
    "OrderQuestion",
    "Question",
    "Rubric",
    "RuleQuestion",
    "check",
    "hint",
    "solution",
]
