"""Runs trading models day by day with Modelday, and brings the results into notebooks.

>>> from modelday import Client
>>> job = Client().run(models=["momentum-20"], start="2025-10-01", end="2025-10-29")
>>> job.leaderboard()
"""

from .client import Client
from .errors import ApiError, JobFailed, ModeldayError, NotFound, Unreachable
from .events import Event
from .job import Job

__all__ = ["ApiError", "Client", "Event", "Job", "JobFailed", "ModeldayError", "NotFound", "Unreachable"]
