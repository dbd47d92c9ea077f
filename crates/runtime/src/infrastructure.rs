//! Settings that every service has: Postgres, RabbitMQ, the address to listen on.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use contract::schema::SchemaLocation;
use messaging::BrokerConfig;
use messaging::topology::Account;
use storage::{Database, Development};

use crate::address::Address;
use crate::authentication;
use crate::deployment::Deployment;
use crate::public_url;
use crate::retention::Retention;
use crate::settings::Settings;
use crate::telemetry;

/// How long an operation of the broker may take.
const BROKER_TIMEOUT: Duration = Duration::from_secs(4);
/// How long sent messages stay in an outbox: longer than a consumer may be away after the broker lost its queue.
const OUTBOX_RETENTION: Retention = Retention::days(7);

/// Settings that all services share.
#[derive(Debug, Clone)]
pub struct Infrastructure {
    /// Address of the HTTP API, and who may call it.
    pub address: Address,
    /// `DATABASE_URL`, or a service's own such as `TRIGGER_DATABASE_URL`; in `DEV` the database of the same name with
    /// `_dev` after it.
    pub database: Database,
    /// `AMQP_URL`, or a service's own such as `TRIGGER_AMQP_URL`, with `AMQP_CA_FILE` for a private authority; in `DEV` the virtual host of the same name with `_dev`
    /// after it.
    pub broker: BrokerConfig,
    /// `DEPLOYMENT_MODE`, `PRESERVE_DEV_DATA`.
    pub deployment: Deployment,
    /// Where the schemas of messages are served: below `PUBLIC_URL`.
    pub schemas: SchemaLocation,
    /// `RETENTION_OUTBOX`: how long sent messages stay in the outbox (default 7 days).
    pub outbox_retention: Retention,
}

impl Infrastructure {
    /// Reads the shared settings of `service`. `None` when they are invalid, which is noted in `settings`.
    pub fn from_settings(settings: &mut Settings, service: &str, port: u16) -> Option<Self> {
        let [infrastructure] = Self::of_services(settings, [service], service, port);
        infrastructure
    }

    /// The same for services in one process, each with accounts of its own. `process` is the name of the settings that
    /// come before those without a name.
    pub fn of_services<const N: usize>(
        settings: &mut Settings,
        services: [&str; N],
        process: &str,
        port: u16,
    ) -> [Option<Self>; N] {
        telemetry::check_log_filter(settings);
        let address = Address::from_settings(settings, port);
        let deployment = Deployment::from_settings(settings);
        let schemas = public_url::schemas(settings);
        let outbox_retention = Retention::from_settings(settings, "RETENTION_OUTBOX", OUTBOX_RETENTION);
        services.map(|service| {
            let database = database(settings, &[service, process], deployment);
            let broker = broker(settings, service, deployment);
            let (address, schemas) = (address.clone(), schemas.clone());
            let (database, broker) = (database?, broker?);
            Some(Self { address, database, broker, deployment, schemas, outbox_retention })
        })
    }
}

/// The database in a deployment, with the account of the first of `accounts` that has a setting of its own. `None` when
/// the settings are invalid, which is noted in `settings`.
pub fn database(settings: &mut Settings, accounts: &[&str], deployment: Deployment) -> Option<Database> {
    let fix = "set it to postgres://user:password@host:port/database";
    let (key, url) = match configured(settings, accounts) {
        Some(found) => found,
        None => ("DATABASE_URL".to_owned(), settings.required("DATABASE_URL", fix)?),
    };
    let count = "write how many connections a service may hold";
    let sixteen = NonZeroU32::MIN.saturating_add(15);
    let max_connections = settings.parsed("DATABASE_CONNECTIONS", sixteen, count).get();
    let addresses = storage::addresses(&url);
    let one = |address: &str| Database::new(address.to_owned(), max_connections);
    let database = Database::new(url.clone(), max_connections).and_then(|database| {
        if !deployment.is_dev_mode {
            return Ok(database);
        }
        let url = Development::beside(&database.url)?.url().to_owned();
        Ok(Database { url, ..database })
    });
    match database {
        Ok(database) if database.is_exposed() && !settings.flag("ALLOW_PLAIN_POSTGRES", false) => {
            let problem = "passwords and data would cross the network without TLS";
            let problem =
                numbered(problem, &addresses, |address| one(address).is_ok_and(|it| it.is_exposed()));
            let fix = "add ?sslmode=verify-full, or set ALLOW_PLAIN_POSTGRES=true on a network that is yours";
            settings.invalid(&key, problem, fix);
            None
        }
        Ok(database) => Some(database),
        Err(error) => {
            let problem = numbered(&error.to_string(), &addresses, |address| one(address).is_err());
            settings.invalid(&key, problem, fix);
            None
        }
    }
}

/// The problem of a setting, with the number of the address that has it when there are several.
fn numbered(problem: &str, addresses: &[&str], has_it: impl Fn(&str) -> bool) -> String {
    match addresses.iter().position(|address| has_it(address)) {
        Some(index) if addresses.len() > 1 => {
            format!("address {} of {}: {problem}", index + 1, addresses.len())
        }
        _ => problem.to_owned(),
    }
}

/// The database in `DEV`, to create or to empty it. `None` when none is configured, which [`database`] notes as a mistake.
pub fn development(settings: &mut Settings, account: &str) -> Option<Development> {
    let (_, url) = configured(settings, &[account])?;
    Development::beside(&url).ok()
}

/// The setting that names the database, with its value.
fn configured(settings: &mut Settings, accounts: &[&str]) -> Option<(String, String)> {
    let own = accounts.iter().map(|account| format!("{}_DATABASE_URL", account.to_uppercase()));
    own.chain(["DATABASE_URL".to_owned()]).find_map(|key| Some((key.clone(), settings.text(&key)?)))
}

fn broker(settings: &mut Settings, service: &str, deployment: Deployment) -> Option<BrokerConfig> {
    let fix = "set it to amqp://user:password@host:port/vhost";
    let ca_file = settings.text("AMQP_CA_FILE").map(PathBuf::from);
    if let Some(Err(error)) = ca_file.as_ref().map(std::fs::read) {
        let fix = "name a PEM file with certificate authorities, or leave it out";
        settings.invalid("AMQP_CA_FILE", format!("cannot be read: {error}"), fix);
    }
    let own = format!("{}_AMQP_URL", service.to_uppercase());
    let (key, url) = match settings.text(&own) {
        Some(url) => (own.as_str(), url),
        None => ("AMQP_URL", settings.required("AMQP_URL", fix)?),
    };
    let addresses = messaging::addresses(&url);
    let one = |address: &str| BrokerConfig::new(address, service);
    match BrokerConfig::new(&url, &format!("modelday-{service}")) {
        Ok(broker) if broker.is_exposed() && !settings.flag("ALLOW_PLAIN_AMQP", false) => {
            let problem = "passwords and messages would cross the network without TLS";
            let problem =
                numbered(problem, &addresses, |address| one(address).is_ok_and(|it| it.is_exposed()));
            let fix = "begin it with amqps://, or set ALLOW_PLAIN_AMQP=true on a network that is yours";
            settings.invalid(key, problem, fix);
            None
        }
        Ok(broker) => {
            let broker = match Account::of(service) {
                Some(account) => broker.with_account(account),
                None => broker,
            };
            let broker = if deployment.is_dev_mode { broker.in_development() } else { broker };
            let authentication = authentication::from_settings(settings);
            let broker = broker.with_ca_file(ca_file).with_timeout(BROKER_TIMEOUT);
            Some(broker.with_authentication(authentication))
        }
        Err(error) => {
            let problem = numbered(&error.to_string(), &addresses, |address| one(address).is_err());
            settings.invalid(key, problem, fix);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(environment: &[(&str, &str)]) -> String {
        let environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut settings = Settings::new(environment, None);
        let read = Infrastructure::from_settings(&mut settings, "trigger", 8081);
        settings.finish(read).err().map(|mistakes| mistakes.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_address_of_several_that_cannot_be_used_is_named_and_no_password_is_shown() {
        let database = "postgres://joe:pa55word@127.0.0.1/d,postgres://joe:s3cret@db.example/d";
        let broker = "amqp://joe:pa55word@127.0.0.1/v,amqp://joe:12/s3cret@127.0.0.1/v";

        let text = mistakes(&[("DATABASE_URL", database), ("TRIGGER_AMQP_URL", broker)]);

        assert!(
            text.contains("DATABASE_URL (environment): address 2 of 2: passwords and data would cross"),
            "{text}"
        );
        assert!(
            text.contains("TRIGGER_AMQP_URL (environment): address 2 of 2: the broker URL is not a valid"),
            "{text}"
        );
        assert!(!text.contains("s3cret") && !text.contains("pa55word"), "{text}");
    }

    #[test]
    fn several_addresses_are_taken_and_one_is_not_numbered() {
        let database = "postgres://joe@127.0.0.1/d, postgres://joe@127.0.0.1:1/d";
        let broker = "amqp://joe@127.0.0.1/v,amqp://joe@127.0.0.1:1/v";
        assert_eq!(mistakes(&[("DATABASE_URL", database), ("AMQP_URL", broker)]), "");

        let text = mistakes(&[("DATABASE_URL", "mysql://joe@127.0.0.1/d"), ("AMQP_URL", broker)]);

        assert!(text.contains("DATABASE_URL (environment): the database URL is not"), "{text}");
    }
}
