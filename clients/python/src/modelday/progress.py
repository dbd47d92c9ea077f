"""The progress of a job: a bar in a notebook, a line in a terminal, nothing in a script's log."""

from __future__ import annotations

import html
import sys
from typing import Any


class Progress:
    """Shows how far a job is. Unless `enabled` says otherwise, only where a person looks on."""

    def __init__(self, enabled: bool | None = None) -> None:
        self._display: Any = None
        self._handle: Any = None
        in_notebook = _notebook_display() if enabled is not False else None
        if in_notebook is not None:
            self._display = in_notebook
        self._terminal = self._display is None and (sys.stderr.isatty() if enabled is None else enabled)
        self._shown = ""

    def show(self, text: str, done: int, total: int) -> None:
        """Shows that `done` of `total` are done."""
        if self._display is not None:
            bar = _Bar(text, done, total)
            if self._handle is None:
                self._handle = self._display(bar, display_id=True)
            else:
                self._handle.update(bar)
        elif self._terminal:
            filled = 30 * done // total if total else 0
            line = f"{text:<14} [{'=' * filled:<30}] {done}/{total}"
            if line != self._shown:
                print(f"\r{line}", end="", file=sys.stderr, flush=True)
                self._shown = line

    def end(self) -> None:
        """Ends the line of a terminal."""
        if self._shown:
            print(file=sys.stderr)


class _Bar:
    """A bar as a notebook shows it, with a text for where there is no HTML."""

    def __init__(self, text: str, done: int, total: int) -> None:
        self._text, self._done, self._total = text, done, total

    def _repr_html_(self) -> str:
        return (
            f'<label>{html.escape(self._text)} <progress value="{self._done}" max="{max(self._total, 1)}">'
            f"</progress> {self._done}/{self._total}</label>"
        )

    def __repr__(self) -> str:
        return f"{self._text} {self._done}/{self._total}"


def _notebook_display() -> Any:
    """IPython's function that shows and updates something, when this is a notebook."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    return display if shell is not None and "IPKernelApp" in shell.config else None
