//! Rebuilding the read model from the log of events.

use it::{Shape, System};
use serde_json::json;

#[tokio::test]
async fn the_read_model_can_be_rebuilt_from_the_log_of_events() {
    let system = System::builder(Shape::OneProcess).start().await;
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-10" })).await;
    system.client.ended(&job).await;
    let board = "/leaderboard?start_date=2025-10-01&end_date=2025-10-10";
    let (before, status) = (system.client.get_ok(board).await, system.client.job(&job).await);
    system.database.execute("DELETE FROM status.model_days").await;
    assert_ne!(system.client.job(&job).await["details"], status["details"], "nothing was lost");

    let rebuilt = system.modelday(&["rebuild"]);

    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert_eq!(String::from_utf8_lossy(&rebuilt.stdout), "Rebuilt 1 jobs.\n");
    assert_eq!(system.client.get_ok(board).await, before);
    assert_eq!(system.client.job(&job).await, status);
}
