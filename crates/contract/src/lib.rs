//! The messages between Modelday's services: types generated from `proto-schemas`, their encoding on the wire
//! (ProtoJSON), and their conversion from and to domain types.
//!
//! A message becomes a domain type only by decoding, so every domain type that came from a message is valid.

mod agents;
pub mod bundle;
mod commands;
mod corporate_actions;
mod days;
mod error;
mod events;
mod fields;
mod jobs;
pub mod kind;
mod market;
pub mod schema;

pub use commands::{decode_job_cancel, decode_lane_continue, encode_job_cancel, encode_lane_continue};
pub use error::ContractError;
pub use events::{decode_event, encode_event};
pub use jobs::{decode_model, encode_model};

/// The message types as generated from `proto-schemas/modelday/v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/modelday.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/modelday.v1.serde.rs"));
}

/// The compiled descriptors of all messages, as a `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
