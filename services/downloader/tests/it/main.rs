//! The whole service against a real Postgres, a real RabbitMQ and the stand-in for Alpha Vantage.

mod broker;
mod budget;
mod download;
mod refused;
mod sharing;
mod support;
