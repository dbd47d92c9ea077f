"""Against a running Modelday at MODELDAY_URL, with the recorded prices and models of the repository."""

from __future__ import annotations

import json
import uuid
import warnings
from decimal import Decimal
from pathlib import Path

import nbformat
import pandas
import pytest
import quantstats
from nbclient import NotebookClient

from modelday import ApiError, Client, Job, JobFailed, NotFound

MODELS = ["gpt-5", "qwen3-max", "gemini-2.5-flash", "hold-qqq", "momentum-20"]
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module")
def job() -> Job:
    experiment = f"test-{uuid.uuid4()}"
    return Client().run(models=MODELS, start="2025-10-01", end="2025-10-29", experiment=experiment, progress=False)


def test_it_is_the_installed_package_that_is_tested() -> None:
    import modelday

    assert "site-packages" in modelday.__file__
    assert (Path(modelday.__file__).parent / "py.typed").exists()


def test_a_frame_has_real_dates_and_numbers_or_exact_decimals(job: Job) -> None:
    equity, exact = job.equity(), job.equity(decimals=True)

    assert len(equity) == 21 * len(MODELS) and set(equity["model"]) == set(MODELS)
    assert equity["date"].dtype.kind == "M" and equity["date"].min() == pandas.Timestamp("2025-10-01")
    assert equity["value_at_close"].dtype == "float64"
    pages = json.loads(job.client.download("/equity", job_id=job.id, format="json"), parse_float=Decimal)
    assert sorted(exact["cash"]) == sorted(Decimal(row["cash"]) for row in pages["equity"])
    assert equity["value_at_close"].tolist() == [float(value) for value in exact["value_at_close"]]

    trades = job.trades(model=["gpt-5", "qwen3-max"])
    assert set(trades["action_type"]) == {"buy", "sell"} and trades["price"].dtype == "float64"
    assert trades["quantity"].dtype == "int64"
    positions = job.positions("gpt-5")
    closing = positions.groupby("date")["value"].sum()
    assert closing.iloc[-1] == pytest.approx(10998.25, abs=1e-9)


def test_rows_are_chosen_by_model_experiment_and_dates(job: Job) -> None:
    client = job.client

    experiment = job.status()["experiment"]
    week = client.equity(model="gpt-5", experiment=experiment, start=pandas.Timestamp("2025-10-06"), end="2025-10-10")

    assert [str(day)[:10] for day in week["date"]] == [f"2025-10-{day:02}" for day in range(6, 11)]
    assert client.equity(experiment="nobody-used-it").empty


def test_the_leaderboard_is_a_frame_of_figures(job: Job) -> None:
    board, exact = job.leaderboard(), job.leaderboard(decimals=True)

    assert board["sharpe"].dtype == "float64" and board["return"].dtype == "float64"
    assert set(board["model"]) >= set(MODELS) | {"QQQ"}
    assert board.set_index("model").loc["gpt-5", "final_value"] == 10998.25
    assert exact.set_index("model").loc["gpt-5", "final_value"] == Decimal("10998.25")


def test_quantstats_comes_to_the_same_sharpe_and_drawdown(job: Job) -> None:
    board = job.leaderboard().set_index("model")
    returns = job.returns()

    for model in MODELS:
        sharpe = quantstats.stats.sharpe(returns[model])
        drawdown = quantstats.stats.max_drawdown(returns[model])
        assert sharpe == pytest.approx(board.loc[model, "sharpe"], abs=1e-9), model
        assert drawdown == pytest.approx(board.loc[model, "max_drawdown"], abs=1e-9), model
    assert len(set(board.loc[MODELS, "sharpe"])) == len(MODELS), "figures of different models differ"


def test_events_are_all_those_of_the_job(job: Job) -> None:
    events = list(job.events())

    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "modelday.job.completed.v1"
    completed = [event for event in events if event.type == "modelday.model_day.completed.v1"]
    assert len(completed) == 21 * len(MODELS)
    assert [event.id for event in job.events(after=events[-3].id)] == [event.id for event in events[-2:]]
    assert [event.id for event in job.events(type="model_day.*")] == [event.id for event in completed]
    every = job.client.events(after=0)
    assert [next(every).id for _ in range(5)] == [1, 2, 3, 4, 5]


def test_a_day_has_its_transcript_and_an_unknown_one_is_not_found(job: Job) -> None:
    assert job.day("gpt-5", "2025-10-29")["status"] == "completed"
    assert job.transcript("gpt-5", "2025-10-29") == []
    with pytest.raises(NotFound):
        job.transcript("gpt-5", "2025-10-25")
    with pytest.raises(NotFound):
        job.client.job("00000000-0000-0000-0000-000000000000").status()


def test_the_plan_says_that_nothing_is_left_to_run(job: Job) -> None:
    experiment = job.status()["experiment"]
    plan = job.client.plan(models=MODELS, start="2025-10-01", end="2025-10-29", experiment=experiment)

    assert plan["model_days"]["to_run"] == 0 and plan["model_days"]["already_completed"] == 21 * len(MODELS)


def test_a_refused_request_names_the_parameter(job: Job) -> None:
    with pytest.raises(ApiError, match=r"^end: .*2025-13-01") as refused:
        job.client.run(models=MODELS, end="2025-13-01")
    assert refused.value.status == 422
    with pytest.raises(ApiError, match="did you mean 'momentum-20'"):
        job.client.run(models="momentum-2", end="2025-10-29")


def test_a_job_that_finds_its_days_completed_shows_them_all_the_same(job: Job) -> None:
    experiment = job.status()["experiment"]
    again = job.client.run(models=MODELS, start="2025-10-01", end="2025-10-29", experiment=experiment, progress=False)

    assert again.status()["progress"]["skipped"] == 21 * len(MODELS)
    pandas.testing.assert_frame_equal(again.equity(), job.equity())
    assert len(again.trades("gpt-5")) == 45


def test_a_job_without_results_raises_and_keeps_its_status(job: Job) -> None:
    # Before the first recorded price.
    with pytest.raises(JobFailed, match="failed: ") as failed, warnings.catch_warnings():
        warnings.simplefilter("error")
        job.client.run(models="momentum-20", start="2024-01-02", end="2024-01-03", experiment="early")
    assert failed.value.status["status"] == "failed"


def test_prices_are_imported_from_a_frame(job: Job) -> None:
    frame = pandas.DataFrame(
        {"symbol": "ZZZZ", "date": ["2025-10-01", "2025-10-02"], "open": [10.0, 11.5], "high": [12.0, 12.0],
         "low": [9.0, 10.0], "close": [11.0, 11.25], "volume": [100, 200]}
    )  # fmt: skip

    imported = job.client.import_prices(frame)
    again = job.client.import_prices(frame, dry_run=True)

    assert (imported["inserted"] + imported["unchanged"], again["unchanged"]) == (2, 2)
    assert [symbol["symbol"] for symbol in job.client.coverage(symbol="ZZZZ")] == ["ZZZZ"]


def test_stored_prices_are_a_frame(job: Job) -> None:
    bars = job.client.bars(["QQQ", "AAPL"], "2025-10-01", "2025-10-07")
    exact = job.client.bars("AAPL", end="2025-10-07", as_of="2025-10-03", decimals=True)

    assert bars.groupby("symbol").size().to_dict() == {"AAPL": 5, "QQQ": 5}
    assert bars["date"].dtype.kind == "M" and bars["close"].dtype == "float64" and bars["volume"].dtype.kind in "iu"
    assert (bars["high"] >= bars["low"]).all()
    assert exact["date"].max() == pandas.Timestamp("2025-10-02")
    row = bars[(bars["symbol"] == "AAPL") & (bars["date"] == "2025-10-02")].iloc[0]
    assert isinstance(exact.iloc[-1]["close"], Decimal) and float(exact.iloc[-1]["close"]) == row["close"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_example_notebook_runs_from_top_to_bottom(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"

    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    shown = [str(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("<progress" in output for output in shown), "the progress bar is shown"
    assert any("sharpe" in output for output in shown)
