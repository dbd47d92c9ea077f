//! What is counted, and that it is counted once.

use domain::events::event::Event;
use domain::job::OnFailure;
use domain::job::warning::Warning;

use crate::options::hold_a_ghost;
use crate::scene::{job, ready};
use crate::stage::{Running, Stage, message};

#[tokio::test]
async fn every_model_day_and_every_warning_that_is_added_is_counted_once() {
    let stage = Stage::new().await;
    let (executor, counts, _) = Running::watched(stage.day_by_day()).await;
    hold_a_ghost(&stage, "hold").await;
    // Two over the same portfolios, one that stops after a failure, one that has nothing left, over a holiday.
    let mut stopping = job(&["hold"], "2025-11-24", "2025-11-28");
    stopping.options.on_failure = OnFailure::Stop;
    let jobs = [
        job(&["equal", "random"], "2025-11-24", "2025-12-05"),
        job(&["equal", "random"], "2025-11-24", "2025-12-05"),
        stopping,
    ];
    let again = job(&["equal"], "2025-11-24", "2025-12-05");

    let messages: Vec<_> = jobs.iter().map(|job| message(&with_a_warning(ready(job)))).collect();
    stage.vhost.publish(&messages).await;
    let mut ends = Vec::new();
    for job in &jobs {
        ends.push(stage.end_of(job.id).await.1);
    }
    stage.announce(&with_a_warning(ready(&again))).await;
    ends.push(stage.end_of(again.id).await.1);
    executor.stop().await;

    let sum = |of: fn(&domain::job::Tally) -> u32| ends.iter().map(|end| of(&end.tally)).sum::<u32>();
    let days = "modelday_model_day_outcomes_total";
    assert_eq!((sum(|tally| tally.completed), sum(|tally| tally.failed)), (18, 1));
    assert_eq!(
        counts.of(days),
        [
            format!("{days}{{outcome=\"completed\"}} 18"),
            format!("{days}{{outcome=\"failed\"}} 1"),
            format!("{days}{{outcome=\"skipped\"}} {}", sum(|tally| tally.skipped)),
        ]
    );
    let in_events: usize = ends.iter().map(|end| end.warnings.len()).sum();
    assert_eq!(in_events, 4 + 2, "those of the data, and two that days were completed before: {ends:?}");
    assert_eq!(
        counts.of("modelday_warnings_total"),
        ["modelday_warnings_total{code=\"ALREADY_COMPLETED\"} 2"],
        "the downloader has counted its own"
    );
}

fn with_a_warning(event: Event) -> Event {
    match event {
        Event::DataReady(mut data) => {
            data.warnings.push(Warning::rate_limited(3, 4));
            Event::DataReady(data)
        }
        other => other,
    }
}
