//! Messages in flight to the broker, and the broker's confirm of each.
//!
//! lapin attaches a returned message to the confirm that it resolves next. When the broker acknowledges several
//! messages at once, that confirm may belong to another message. So a return is matched by message id, and only when
//! all confirms are in: a return always precedes the ack of its own message.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use futures::FutureExt;
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm, message::BasicReturnMessage,
    options::BasicPublishOptions,
};
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use crate::{
    broker_error::BrokerError,
    outgoing::{Outgoing, PublishError, Published},
    semconv, topology,
};

/// Most unconfirmed messages at a time: enough to hide the round trip, and few enough that little is in flight when
/// one fails.
const MAX_IN_FLIGHT: usize = 256;

pub(crate) struct Confirms<'a> {
    batch: &'a [Outgoing<'a>],
    deadline: Instant,
    in_flight: VecDeque<InFlight>,
    confirmed: Vec<bool>,
    returned: HashSet<usize>,
    failure: Option<PublishError>,
    timed_out: bool,
}

struct InFlight {
    index: usize,
    confirm: PublisherConfirm,
    span: Span,
    since: Instant,
}

impl<'a> Confirms<'a> {
    pub(crate) fn new(batch: &'a [Outgoing<'a>], deadline: Instant) -> Self {
        Self {
            batch,
            deadline,
            in_flight: VecDeque::with_capacity(batch.len().min(MAX_IN_FLIGHT)),
            confirmed: vec![false; batch.len()],
            returned: HashSet::new(),
            failure: None,
            timed_out: false,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.failure.is_some() || self.timed_out
    }

    /// Hands message `index` to the broker, then takes the confirms that have arrived meanwhile. Waits for one when
    /// [`MAX_IN_FLIGHT`] is reached.
    pub(crate) async fn send(
        &mut self,
        channel: &Channel,
        index: usize,
        properties: BasicProperties,
        span: Span,
    ) {
        let since = Instant::now();
        let message = &self.batch[index];
        // A control hint needs no consumer: without one, nothing is lost.
        let mandatory = message.exchange != topology::CONTROL;
        let publish = channel.basic_publish(
            message.exchange.into(),
            message.routing_key.into(),
            BasicPublishOptions { mandatory, ..Default::default() },
            message.body,
            properties,
        );
        match timeout_at(self.deadline, publish).await {
            Ok(Ok(confirm)) => self.in_flight.push_back(InFlight { index, confirm, span, since }),
            Ok(Err(error)) => self.resolve(index, &span, since, Err(error)),
            Err(_) => self.timed_out = true,
        }
        self.take_ready();
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            self.wait_for_first().await;
        }
    }

    /// Takes the confirms that have arrived, oldest first.
    fn take_ready(&mut self) {
        while let Some(first) = self.in_flight.front_mut()
            && let Some(result) = (&mut first.confirm).now_or_never()
            && let Some(first) = self.in_flight.pop_front()
        {
            self.resolve(first.index, &first.span, first.since, result);
        }
    }

    async fn wait_for_first(&mut self) {
        let Some(first) = self.in_flight.pop_front() else { return };
        match timeout_at(self.deadline, first.confirm).await {
            Ok(result) => self.resolve(first.index, &first.span, first.since, result),
            Err(_) => {
                self.timed_out = true;
                self.record(first.index, &first.span, first.since, Some("timeout"));
            }
        }
    }

    /// Waits for the remaining confirms and reports on the whole batch.
    pub(crate) async fn finish(mut self, timeout: Duration) -> Published {
        while !self.in_flight.is_empty() {
            self.wait_for_first().await;
        }
        for index in self.returned {
            self.confirmed[index] = false;
        }
        // A timeout comes before any other failure: late confirms may arrive, so this channel must not be used again.
        let failure = match self.timed_out {
            true => Some(BrokerError::Timeout { operation: "publishing", after: timeout }.into()),
            false => self.failure,
        };
        Published { confirmed: self.confirmed, failure }
    }

    fn resolve(&mut self, index: usize, span: &Span, since: Instant, result: lapin::Result<Confirmation>) {
        let (returned, error) = match result {
            Ok(Confirmation::Ack(returned)) => {
                self.confirmed[index] = true;
                (returned, None)
            }
            Ok(Confirmation::Nack(returned)) => (returned, Some(self.nacked(index))),
            Ok(Confirmation::NotRequested) => (None, Some(BrokerError::Lost.into())),
            Err(source) => (None, Some(BrokerError::Amqp { operation: "publishing", source }.into())),
        };
        let error_type = error.as_ref().map(PublishError::error_type);
        self.record(index, span, since, error_type);
        self.failure = self.failure.take().or(error);
        if let Some(message) = returned {
            self.returned(index, &message);
        }
    }

    fn returned(&mut self, carrier: usize, message: &BasicReturnMessage) {
        let id = message.properties.message_id();
        let same = |index: &usize| id.is_some() && self.batch[*index].properties.message_id() == id;
        let mut indices: Vec<_> = (0..self.batch.len()).filter(same).collect();
        if indices.is_empty() {
            indices.push(carrier);
        }
        self.returned.extend(&indices);
        let error = PublishError::Returned {
            message: id.as_ref().map(ToString::to_string).unwrap_or_default(),
            destination: self.destination(indices[0]),
            reason: message.reply_text.to_string(),
        };
        // A return comes before a nack: it makes the publisher declare the topology again.
        if !matches!(self.failure, Some(PublishError::Returned { .. })) {
            self.failure = Some(error);
        }
    }

    fn nacked(&self, index: usize) -> PublishError {
        let id = self.batch[index].properties.message_id();
        let message = id.as_ref().map(ToString::to_string).unwrap_or_default();
        PublishError::Nacked { message, destination: self.destination(index) }
    }

    fn record(&self, index: usize, span: &Span, since: Instant, error: Option<&'static str>) {
        if let Some(error) = error {
            semconv::mark_failed(span, error);
        }
        let destination = topology::destination(self.batch[index].exchange, self.batch[index].routing_key);
        semconv::sent(destination, since.elapsed(), error);
    }

    fn destination(&self, index: usize) -> String {
        format!("{}:{}", self.batch[index].exchange, self.batch[index].routing_key)
    }
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;

    use super::*;

    fn message(id: &str) -> Outgoing<'static> {
        let properties = BasicProperties::default().with_message_id(id.into());
        Outgoing { exchange: "e", routing_key: "k", properties, body: b"", trace: None }
    }

    fn returned(id: &str) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "e".into(), "k".into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_message_id(id.into());
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[tokio::test]
    async fn a_return_that_comes_with_a_neighbours_confirm_is_not_blamed_on_the_neighbour() {
        let batch = ["a", "b", "c"].map(message);
        let now = Instant::now();
        let mut confirms = Confirms::new(&batch, now);

        confirms.resolve(2, &Span::none(), now, Ok(Confirmation::Ack(Some(returned("b")))));
        confirms.resolve(0, &Span::none(), now, Ok(Confirmation::Ack(None)));
        confirms.resolve(1, &Span::none(), now, Ok(Confirmation::Ack(None)));
        let published = confirms.finish(Duration::ZERO).await;

        assert_eq!(published.confirmed, [true, false, true]);
        let failure = published.failure.map(|failure| failure.to_string());
        assert_eq!(failure.as_deref(), Some("message b to e:k was returned: NO_ROUTE"));
    }

    #[tokio::test]
    async fn a_return_outweighs_a_nack_and_both_count_as_not_confirmed() {
        let batch = ["a", "b"].map(message);
        let now = Instant::now();
        let mut confirms = Confirms::new(&batch, now);

        confirms.resolve(0, &Span::none(), now, Ok(Confirmation::Nack(None)));
        confirms.resolve(1, &Span::none(), now, Ok(Confirmation::Ack(Some(returned("b")))));
        let published = confirms.finish(Duration::ZERO).await;

        assert_eq!(published.confirmed, [false, false]);
        assert!(matches!(published.failure, Some(PublishError::Returned { .. })));
    }
}
