//! A database with prices, a virtual host, a downloader's outbox, and executors that run and stop.

use std::time::Duration;

use chrono::NaiveDate;
use contract::{decode_event, kind};
use domain::agent::{AddressRules, EndpointRules};
use domain::events::event::{Event, JobCancel, JobEnded, LaneContinue};
use domain::market::calendar::Calendar;
use domain::values::ids::{JobId, LaneId};
use executor::{Config, EndpointAccess};
use messaging::Envelope;
use runtime::CancellationToken;
use runtime::address::Address;
use runtime::deployment::{Deployment, Mode};
use runtime::infrastructure::Infrastructure;
use runtime::outbound::Outbound;
use runtime::parts::Parts;
use runtime::relay::{self, Relay, Wake};
use sqlx::types::Uuid;
use storage::outbox::{self, StoredMessage};
use storage::trigger::Cancellation;
use storage::{Owner, PgPool};
use test_support::{Counts, Lines, TestDatabase, TestVhost, eventually};
use utoipa_axum::router::OpenApiRouter;

use crate::scene;

/// Everything around the executor.
pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) vhost: TestVhost,
    downloader: PgPool,
}

impl Stage {
    /// Prices of four symbols in 2025, and nothing else.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let downloader = database.pool(Owner::Downloader).await;
        let stage = Self { database, vhost: TestVhost::new(), downloader };
        stage.store_prices().await;
        stage
    }

    /// Stores the prices that are not stored.
    pub(crate) async fn store_prices(&self) {
        let mut connection = self.downloader.acquire().await.unwrap();
        storage::market::insert_bars(&mut connection, "test", &scene::bars()).await.unwrap();
    }

    /// An executor that looks for forgotten lanes after a second.
    pub(crate) fn config(&self) -> Config {
        Config {
            traced_days: executor::TracedDays::default(),
            kept: executor::Kept::default(),
            infrastructure: Infrastructure {
                address: Address::loopback(0),
                database: self.database.settings(Owner::Executor),
                broker: self.vhost.settings(),
                deployment: Deployment::new(Mode::Prod, false),
                schemas: Default::default(),
                outbox_retention: runtime::retention::Retention::days(7),
            },
            slice: Duration::from_millis(250),
            lanes_at_once: 4,
            agent_slice: Duration::from_secs(10),
            agents_at_once: 8,
            endpoints: EndpointAccess::new(
                EndpointRules::new(AddressRules::with_loopback(), Vec::new()),
                Outbound::new(AddressRules::with_loopback(), None),
                |_| None,
            ),
            search: None,
            patience: Duration::from_secs(1),
            turns_in_line: 64,
            portfolios_planned_at_once: 1_000,
            calendar: Calendar::nyse(),
        }
    }

    /// The same, with a turn of its own for each day.
    pub(crate) fn day_by_day(&self) -> Config {
        Config { slice: Duration::ZERO, ..self.config() }
    }

    /// Tells as the downloader does: through its outbox and its relay.
    pub(crate) async fn announce(&self, event: &Event) {
        self.write(event).await;
        let relay = Relay {
            pool: self.downloader.clone(),
            broker: self.vhost.settings(),
            owner: Owner::Downloader,
            schemas: Default::default(),
            wake: Wake::default(),
            parts: Parts::default(),
            retention: runtime::retention::Retention::days(7),
        };
        let stop = CancellationToken::new();
        let sent = eventually("the downloader's outbox is sent", async || {
            let left = outbox::backlog(&self.downloader).await.unwrap().depth;
            (left == 0).then_some(())
        });
        tokio::select! {
            () = relay.run(stop.clone()) => {}
            () = sent => stop.cancel(),
        }
    }

    /// Writes the event into the downloader's outbox as one that was sent, which the broker forgot.
    pub(crate) async fn announce_to_a_forgetful_broker(&self, event: &Event) {
        self.write(event).await;
        self.database.execute("UPDATE market.outbox SET sent_at = now()").await;
    }

    /// Writes the message itself into the downloader's outbox, as one that was sent.
    pub(crate) async fn note_as_sent(&self, message: &Envelope) {
        let outgoing = outbox::NewMessage {
            event_id: message.id,
            kind: kind::DATA_READY,
            exchange: messaging::topology::EVENTS,
            routing_key: kind::DATA_READY,
            job: JobId(message.correlation.unwrap()),
            traceparent: None,
            body: String::from_utf8(message.body.to_vec()).unwrap(),
        };
        let mut transaction = self.downloader.begin().await.unwrap();
        outbox::write(&mut transaction, &[outgoing]).await.unwrap();
        sqlx::query("UPDATE market.outbox SET sent_at = now()").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn write(&self, event: &Event) {
        let mut connection = self.downloader.acquire().await.unwrap();
        outbox::write(&mut connection, &[runtime::outgoing::event(event).unwrap()]).await.unwrap();
    }

    /// The events of a job that the executor has committed, in their order.
    pub(crate) async fn events(&self, job: JobId) -> Vec<Event> {
        let query = "SELECT kind, body FROM execution.outbox WHERE job_id = $1 AND kind <> $2 ORDER BY id";
        let rows: Vec<(String, String)> = sqlx::query_as(query)
            .bind(job.0)
            .bind(kind::LANE_CONTINUE)
            .fetch_all(&self.database.admin)
            .await
            .unwrap();
        rows.iter().map(|(kind, body)| decode_event(kind, body.as_bytes()).unwrap()).collect()
    }

    /// Cancels a job as trigger does, but for sending the command; answers that and the hint.
    pub(crate) async fn cancel_silently(&self, job: JobId) -> [Envelope; 2] {
        let accepted = "INSERT INTO trigger.jobs (id, body, accepted_at) VALUES ($1, '{}', now())";
        sqlx::query(accepted).bind(job.0).execute(&self.database.admin).await.unwrap();
        let command = JobCancel { job, reason: "enough".to_owned() };
        let messages = runtime::outgoing::job_cancel(&command).unwrap();
        let trigger = self.database.pool(Owner::Trigger).await;
        let cancelled = storage::trigger::cancel(&trigger, job, "ops", &messages).await.unwrap();
        assert_eq!(cancelled, Cancellation::Cancelled { new: true });
        self.database.execute("UPDATE trigger.outbox SET sent_at = now()").await;
        messages.map(envelope)
    }

    /// Cancels a job as trigger does.
    pub(crate) async fn cancel(&self, job: JobId) {
        let messages = self.cancel_silently(job).await;
        self.vhost.publish(&messages).await;
    }

    /// Waits for the job's end; answers all its events and the end, of which there is one.
    pub(crate) async fn end_of(&self, job: JobId) -> (Vec<Event>, JobEnded) {
        eventually("the job ends", async || {
            let events = self.events(job).await;
            scene::ends(&events).first().cloned().map(|end| (events, end))
        })
        .await
    }

    /// Waits until so many of the job's days are completed.
    pub(crate) async fn until_completed(&self, job: JobId, days: usize) {
        let what = format!("{days} days are completed");
        eventually(&what, async || (scene::completed(&self.events(job).await).len() >= days).then_some(()))
            .await;
    }

    /// Waits until everything is sent.
    pub(crate) async fn until_sent(&self) {
        eventually("the executor's outbox is sent", async || {
            let left = "SELECT count(*) FROM execution.outbox WHERE sent_at IS NULL";
            (self.database.count(left).await == 0).then_some(())
        })
        .await;
    }

    /// Nothing that the executor leaves behind may be in doubt once its jobs have ended.
    pub(crate) async fn assert_tidy(&self) {
        for (what, query) in [
            ("open lanes", "SELECT count(*) FROM execution.lanes WHERE state <> 'finished'"),
            ("open attempts", "SELECT count(*) FROM execution.attempts WHERE ended IS NULL"),
            ("held portfolios", "SELECT count(*) FROM execution.portfolios WHERE holder IS NOT NULL"),
            (
                "running jobs",
                "SELECT count(*) FROM execution.jobs WHERE state = 'running' OR open_lanes <> 0",
            ),
            (
                "days that took effect without saying so, or twice",
                "SELECT count(*) FROM execution.model_days d WHERE d.state <> 'skipped'
                     AND d.job_id IN (SELECT id FROM execution.jobs) AND 1 <> (
                     SELECT count(*) FROM execution.outbox o
                     WHERE o.job_id = d.job_id AND o.kind = 'modelday.model_day.' || d.state || '.v1'
                         AND o.body::jsonb -> 'key' ->> 'trading_date' = d.trading_date::text
                         AND o.body::jsonb -> 'key' ->> 'model' =
                             (SELECT model FROM execution.portfolios WHERE id = d.portfolio_id))",
            ),
        ] {
            assert_eq!(self.database.count(query).await, 0, "{what} are left");
        }
    }

    /// The lane of a job's only model.
    pub(crate) async fn lane(&self, job: JobId) -> LaneId {
        let id: Uuid = sqlx::query_scalar("SELECT id FROM execution.lanes WHERE job_id = $1")
            .bind(job.0)
            .fetch_one(&self.database.admin)
            .await
            .unwrap();
        LaneId(id)
    }
}

/// A message as the downloader's relay sends it.
pub(crate) fn message(event: &Event) -> Envelope {
    envelope(runtime::outgoing::event(event).unwrap())
}

/// A lane's turn as the executor's relay sends it.
pub(crate) fn turn(job: JobId, lane: LaneId, turn: u32) -> Envelope {
    let key = messaging::topology::commands::LANE_CONTINUE;
    envelope(runtime::outgoing::lane_continue(&LaneContinue { lane, turn }, job, key, None).unwrap())
}

/// The command that cancels a job, and the hint, as trigger's relay sends them.
pub(crate) fn cancellation(job: JobId) -> [Envelope; 2] {
    runtime::outgoing::job_cancel(&JobCancel { job, reason: "enough".to_owned() }).unwrap().map(envelope)
}

fn envelope(message: outbox::NewMessage) -> Envelope {
    let stored = StoredMessage {
        id: 1,
        event_id: message.event_id,
        kind: message.kind.to_owned(),
        exchange: message.exchange.to_owned(),
        routing_key: message.routing_key.to_owned(),
        job_id: message.job.0,
        traceparent: None,
        body: message.body,
        created_at: chrono::Utc::now(),
        original: None,
    };
    let sender = kind::sender(&stored.kind).unwrap();
    relay::envelope(&stored, sender, &Default::default())
}

/// An executor at work, in a runtime of its own.
pub(crate) struct Running {
    runtime: Option<tokio::runtime::Runtime>,
    work: tokio::task::JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_in(Self::runtime(), config)
    }

    fn start_in(runtime: tokio::runtime::Runtime, config: Config) -> Self {
        let stop = CancellationToken::new();
        let token = stop.clone();
        let work = runtime.spawn(async move {
            let address = config.infrastructure.address.clone();
            let service = executor::build(config, token.clone())?;
            let listener = runtime::http::bind(address.listen)?;
            service.run(listener, address, OpenApiRouter::new(), &token).await
        });
        Self { runtime: Some(runtime), work, stop }
    }

    /// The same, with what it counts and logs.
    pub(crate) async fn watched(config: Config) -> (Self, Counts, Lines) {
        let runtime = Self::runtime();
        // It has one thread.
        let watch = async { (Counts::of_this_thread(), Lines::of_this_thread()) };
        let (counts, lines) = runtime.spawn(watch).await.unwrap();
        (Self::start_in(runtime, config), counts, lines)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// Stops as at a signal: what is in hand is finished.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.work).await.unwrap().unwrap();
    }

    /// Stops as at SIGKILL: whatever was not committed is lost.
    pub(crate) fn kill(mut self) {
        self.cut();
    }

    /// The same, and returns when nothing of it runs any more.
    pub(crate) async fn kill_and_wait(mut self) {
        if let Some(runtime) = self.runtime.take() {
            tokio::task::spawn_blocking(move || runtime.shutdown_timeout(test_support::PATIENCE))
                .await
                .unwrap();
        }
    }

    fn cut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut();
    }
}

/// Dates as they are in messages.
pub(crate) fn texts(dates: &[NaiveDate]) -> Vec<String> {
    dates.iter().map(ToString::to_string).collect()
}
