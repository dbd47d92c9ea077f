//! Which service a span belongs to. `modelday serve` is four services in one process, and each has its name in traces as
//! if it ran alone.

use std::time::Duration;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use storage::Owner;

/// The services, which are also the names of their packages.
pub(super) const SERVICES: [&str; 4] = {
    let [first, second, third, fourth] = Owner::ALL;
    [first.as_str(), second.as_str(), third.as_str(), fourth.as_str()]
};

/// The attribute by which spans of shared packages name their service. It does not leave the process.
pub(super) const SERVICE: &str = "service";
/// The attribute with the module that made a span. It does not leave the process.
const TARGET: &str = "target";
const SERVICE_NAME: Key = Key::from_static_str("service.name");

/// Exports the spans of each service under its name.
#[derive(Debug)]
pub(super) struct ByService<E> {
    /// The process's own, and one for each service of [`SERVICES`] when it runs all of them.
    exporters: Vec<E>,
}

impl<E: SpanExporter> ByService<E> {
    /// A process that is one service, whose name its resource has.
    pub(super) fn one(exporter: E) -> Self {
        Self { exporters: vec![exporter] }
    }

    /// A process that runs all services; `exporter` makes an exporter.
    pub(super) fn all(exporter: impl Fn() -> anyhow::Result<E>) -> anyhow::Result<Self> {
        let exporters = (0..=SERVICES.len()).map(|_| exporter()).collect::<Result<_, _>>()?;
        Ok(Self { exporters })
    }
}

impl<E: SpanExporter> SpanExporter for ByService<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut batches: Vec<Vec<SpanData>> = self.exporters.iter().map(|_| Vec::new()).collect();
        for mut span in batch {
            let place = take_service(&mut span).map_or(0, |service| service + 1);
            let place = if place < batches.len() { place } else { 0 };
            batches[place].push(span);
        }
        let mut result = Ok(());
        for (exporter, batch) in self.exporters.iter().zip(batches) {
            if !batch.is_empty() {
                result = result.and(exporter.export(batch).await);
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let ended = self.exporters.iter().map(|exporter| exporter.shutdown_with_timeout(timeout));
        ended.fold(Ok(()), OTelSdkResult::and)
    }

    fn set_resource(&mut self, resource: &Resource) {
        let names = [None].into_iter().chain(SERVICES.map(Some));
        for (exporter, service) in self.exporters.iter_mut().zip(names) {
            exporter
                .set_resource(&service.map_or_else(|| resource.clone(), |service| part(resource, service)));
        }
    }
}

/// The resource of one of the services of a process.
fn part(process: &Resource, service: &str) -> Resource {
    let name = process.get(&SERVICE_NAME).unwrap_or_else(|| "modelday".into());
    let attributes = process.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_attributes(attributes)
        .with_service_name(format!("{}-{service}", name.as_str()))
        .build()
}

/// The place in [`SERVICES`] of the span's service, whose attributes are removed.
fn take_service(span: &mut SpanData) -> Option<usize> {
    let mut service = None;
    span.attributes.retain(|attribute| {
        let of_module = attribute.key.as_str() == TARGET;
        if !of_module && attribute.key.as_str() != SERVICE {
            return true;
        }
        if let Value::String(text) = &attribute.value {
            service = service.or_else(|| service_of(text.as_str()));
        }
        false
    });
    service
}

/// The place in [`SERVICES`] of a service, given by its name or by a path of one of its modules.
pub(super) fn service_of(name: &str) -> Option<usize> {
    let name = name.strip_prefix("modelday-").unwrap_or(name);
    let package = name.split_once("::").map_or(name, |(package, _)| package);
    SERVICES.iter().position(|service| *service == package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_name_and_by_its_modules() {
        assert_eq!(service_of("modelday-status"), Some(3));
        assert_eq!(service_of("executor"), Some(2));
        assert_eq!(service_of("executor::lane::turn"), Some(2));
        assert_eq!(service_of("messaging::send"), None);
    }
}
