//! A collector of traces for tests. It receives spans over gRPC, and over HTTP as protocol buffers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// A span as the collector received it.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// The process or the part of a process, as its resource describes it.
    pub(super) resource: BTreeMap<String, Value>,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty for the root of a trace.
    pub(super) parent: String,
    /// Nanoseconds since 1970.
    pub(super) began: u64,
    /// Trace and span.
    pub(super) links: Vec<(String, String)>,
    pub(super) attributes: BTreeMap<String, Value>,
}

impl Span {
    /// The name of the service.
    pub(super) fn service(&self) -> String {
        text(self.resource.get("service.name"))
    }

    /// An attribute as text; empty when there is none.
    pub(super) fn attribute(&self, name: &str) -> String {
        text(self.attributes.get(name))
    }
}

/// A server that stores the spans it receives.
pub(super) struct Collector {
    pub(super) url: String,
    received: Received,
}

/// What a collector has received.
#[derive(Clone, Default)]
struct Received {
    spans: Arc<Mutex<Vec<Span>>>,
    /// The header `x-tenant` of each request.
    tenants: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    /// Listens for gRPC.
    pub(super) async fn over_grpc() -> Self {
        Self::serve("http", Server::builder())
    }

    /// Listens for gRPC with TLS. Returns the certificate too, which is its own authority, as PEM.
    pub(super) async fn over_tls() -> (Self, String) {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem());
        let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        (Self::serve("https", server), cert.pem())
    }

    fn serve(scheme: &str, mut server: Server) -> Self {
        let received = Received::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("{scheme}://{}", incoming.local_addr().unwrap());
        let service = TraceServiceServer::new(received.clone());
        tokio::spawn(server.add_service(service).serve_with_incoming(incoming));
        Self { url, received }
    }

    /// Listens for requests over HTTP.
    pub(super) async fn over_http() -> Self {
        let received = Received::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/v1/traces", post(receive)).with_state(received.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, received }
    }

    /// The spans received so far.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.received.spans.lock().unwrap().clone()
    }

    /// What the header `x-tenant` of the requests said.
    pub(super) fn tenants(&self) -> Vec<String> {
        self.received.tenants.lock().unwrap().clone()
    }
}

impl Received {
    fn add(&self, request: ExportTraceServiceRequest, tenant: Option<&str>) {
        self.tenants.lock().unwrap().extend(tenant.map(str::to_owned));
        for resource in request.resource_spans {
            let about = attributes(resource.resource.unwrap_or_default().attributes);
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.spans.lock().unwrap().extend(spans.map(|span| Span {
                resource: about.clone(),
                kind: SpanKind::try_from(span.kind).unwrap().as_str_name().trim_start_matches("SPAN_KIND_"),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                began: span.start_time_unix_nano,
                links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
                attributes: attributes(span.attributes),
                name: span.name,
            }));
        }
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let tenant =
            request.metadata().get("x-tenant").and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.add(request.into_inner(), tenant.as_deref());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("content-type") != Some("application/x-protobuf") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    received.add(request, header("x-tenant"));
    StatusCode::OK
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, Value> {
    let value = |value: Option<AnyValue>| value.and_then(|value| value.value).unwrap();
    list.into_iter().map(|attribute| (attribute.key, value(attribute.value))).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
