"""What is imported, when, and how loudly. Each case needs a Python of its own."""

import subprocess
import sys
import textwrap

import pytest


def run(script: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("package", ["course_lib", "course_lib.frameworks", "course_lib.gradcheck"])
def test_importing_our_rooms_loads_neither_framework(package):
    done = run(f"""
        import sys, {package}
        print([name for name in ("torch", "tensorflow") if name in sys.modules])
    """)
    assert done.stdout.strip() == "[]", done.stderr


def test_checking_a_tape_rule_loads_neither_framework():
    done = run("""
        import sys
        import numpy as np
        from course_lib.gradcheck import check_gradient
        from course_lib.tape import custom_gradient

        report = check_gradient(custom_gradient(lambda x: (x * x, lambda g: 2 * x * g)), np.ones(2))
        print(report.ok, [name for name in ("torch", "tensorflow") if name in sys.modules])
    """)
    assert done.stdout.strip() == "True []", done.stderr


def test_tensorflow_comes_without_a_word_on_stderr():
    done = run("""
        from course_lib.frameworks import tensorflow as tf
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(x * x)
        print(tape.gradient(y, x).numpy())
        print(tf.function(lambda x: x * x)(x).numpy())
    """)
    assert done.stdout.split("\n")[:2] == ["[2. 4.]", "[1. 4.]"]
    assert done.stderr == ""


def test_both_packages_are_attributes():
    done = run("""
        from course_lib.frameworks import tensorflow as tf
        from course_lib.frameworks import torch
        import tensorflow, torch as real_torch
        print(tf is tensorflow, torch is real_torch)
    """)
    assert done.stdout.strip() == "True True", done.stderr


@pytest.mark.parametrize(("package", "label"), [("tensorflow", "TensorFlow"), ("torch", "PyTorch")])
def test_a_missing_framework_is_one_sentence_and_the_rest_runs(package, label):
    done = run(f"""
        import sys
        sys.modules["{package}"] = None  # how Python itself marks a package that is not there
        from course_lib import frameworks

        print("{package}" in frameworks.available(), "tape" in frameworks.available())
        for attempt in (lambda: frameworks.get("{package}"), lambda: frameworks.{package}):
            try:
                attempt()
            except frameworks.FrameworkMissing as missing:
                print(missing)
        try:
            from course_lib.frameworks import {package}
        except ImportError as missing:
            print(type(missing).__name__)
        print(frameworks.get("tape").label)
    """)
    lines = done.stdout.strip().split("\n")
    assert lines[0] == "False True", done.stderr
    assert len(lines) == 5
    assert all(label in line and f"pip install {package}" in line for line in lines[1:3])
    assert lines[3:] == ["FrameworkMissing", "the tape"]
