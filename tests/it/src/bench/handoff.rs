//! The hand-off of a lane: from the commit of day N to the begin of day N+1, with a turn for each day.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::StreamExt;
use it::{Shape, System};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::json;
use sqlx::Connection as _;
use sqlx_postgres::PgConnection;

use crate::measure::{Line, ended, millis, percentile, ratio};

const ROUNDS: usize = 400;

/// p50 of the hand-off. The floor is one outbox transaction and one confirmed hop through a quorum queue.
pub(crate) async fn measure() -> Vec<Line> {
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL"], None)
        .models("[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n")
        .prices(|prices| prices.generated_from("2022-01-01".parse().unwrap()))
        .env("LANE_SLICE_MS", "0")
        .start()
        .await;
    let job = system.client.trigger(&json!({ "start_date": "2023-01-03", "end_date": "2025-06-30" })).await;
    ended(&system, &job, || ()).await;

    let days = days(&system).await;
    let mut bare = bare_handoffs(system.database.url(), system.vhost.as_ref().unwrap().url()).await;
    let floor = percentile(&mut bare, 50);
    let line = |what, target, from: fn(&Day) -> Option<DateTime<Utc>>| {
        let mut handoffs = handoffs(&days, from);
        let ours = percentile(&mut handoffs, 50);
        let measured = !handoffs.is_empty();
        Line {
            what,
            ours: if measured { millis(ours) } else { "-".to_owned() },
            floor: millis(floor),
            ratio: ratio(ours, floor).filter(|_| measured),
            target,
        }
    };
    vec![
        line(
            "lane hand-off, day committed to next day begun, p50 (floor: one outbox transaction and one confirmed hop)",
            "at most 2.5",
            |day| day.committed,
        ),
        line("the same from the end of the day's work, its commit included", "-", |day| Some(day.completed)),
    ]
}

/// When a day began, when its work ended, and when its commit was, if PostgreSQL tracks commit times. It takes them
/// before it waits for the disk.
#[derive(sqlx::FromRow)]
struct Day {
    begun: DateTime<Utc>,
    completed: DateTime<Utc>,
    committed: Option<DateTime<Utc>>,
}

async fn days(system: &System) -> Vec<Day> {
    sqlx::query_as(
        "SELECT (message.body::json ->> 'started_at')::timestamptz AS begun,
            (message.body::json ->> 'completed_at')::timestamptz AS completed,
            CASE WHEN current_setting('track_commit_timestamp')::boolean
                THEN pg_xact_commit_timestamp(day.xmin) END AS committed
        FROM execution.outbox message
        JOIN execution.model_days day ON day.job_id = message.job_id
            AND day.trading_date = (message.body::json #>> '{key,trading_date}')::date
        WHERE message.kind = 'modelday.model_day.completed.v1'
        ORDER BY message.id",
    )
    .fetch_all(&system.database.admin)
    .await
    .unwrap()
}

fn handoffs(days: &[Day], from: fn(&Day) -> Option<DateTime<Utc>>) -> Vec<Duration> {
    let pairs = days.windows(2).filter_map(|pair| Some((from(&pair[0])?, pair[1].begun)));
    pairs.map(|(from, begun)| (begun - from).to_std().unwrap_or_default()).collect()
}

/// What every chain of days needs from one day to the next: a transaction that writes a state and a message, then the
/// message through a quorum queue. They run one after the other, as in a chain, because a broker that was idle for a
/// moment takes longer.
async fn bare_handoffs(database: &str, broker: &str) -> Vec<Duration> {
    let mut state = PgConnection::connect(database).await.unwrap();
    sqlx::query("CREATE TABLE public.state (id int)").execute(&mut state).await.unwrap();
    sqlx::query("CREATE TABLE public.messages (body text)").execute(&mut state).await.unwrap();
    let connection = Connection::connect(broker, ConnectionProperties::default()).await.unwrap();
    let (sender, receiver) =
        (connection.create_channel().await.unwrap(), connection.create_channel().await.unwrap());
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    receiver.queue_declare("bench".into(), options, arguments).await.unwrap();
    sender.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut deliveries = receiver
        .basic_consume("bench".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await
        .unwrap();
    let mut durations = Vec::new();
    for round in 0..ROUNDS {
        let began = Instant::now();
        transaction(&mut state, i32::try_from(round).unwrap()).await;
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let confirm =
            sender.basic_publish("".into(), "bench".into(), options, &[b'x'; 200], properties).await.unwrap();
        let delivery = deliveries.next().await.unwrap().unwrap();
        confirm.await.unwrap();
        durations.push(began.elapsed());
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    durations
}

async fn transaction(connection: &mut PgConnection, round: i32) {
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query("INSERT INTO public.state VALUES ($1)").bind(round).execute(&mut *transaction).await.unwrap();
    sqlx::query("INSERT INTO public.messages VALUES ($1)")
        .bind("x".repeat(800))
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}
