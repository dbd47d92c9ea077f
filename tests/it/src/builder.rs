//! The configuration of a system under test: its processes, settings, prices and models.

use std::collections::BTreeMap;

use standin::AlphaVantage;
use storage::Owner;
use test_support::{Proxy, TestDatabase, TestVhost};

use crate::folder::Folder;
use crate::system::{Network, Shape, System};

/// Configures and starts a system under test.
pub struct Builder {
    shape: Shape,
    env: BTreeMap<String, String>,
    prices: standin::Builder,
    symbols: Option<(Vec<String>, Option<String>)>,
    models: Option<String>,
    amqp_url: Option<String>,
    is_behind_proxies: bool,
}

impl System {
    /// Begins with the configuration of the repository, recorded prices, and a new database and virtual host.
    pub fn builder(shape: Shape) -> Builder {
        Builder {
            shape,
            env: BTreeMap::new(),
            prices: AlphaVantage::builder(),
            symbols: None,
            models: None,
            amqp_url: None,
            is_behind_proxies: false,
        }
    }
}

impl Builder {
    /// Adds a setting of the services.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Changes the stand-in of the price provider.
    pub fn prices(mut self, change: impl FnOnce(standin::Builder) -> standin::Builder) -> Self {
        self.prices = change(self.prices);
        self
    }

    /// Replaces the universe of the repository.
    pub fn universe(mut self, symbols: &[&str], benchmark: Option<&str>) -> Self {
        let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        self.symbols = Some((symbols, benchmark.map(str::to_owned)));
        self
    }

    /// Replaces the models of the repository, in TOML.
    pub fn models(mut self, toml: &str) -> Self {
        self.models = Some(toml.to_owned());
        self
    }

    /// Replaces the broker of `make test`.
    pub fn broker(mut self, url: &str) -> Self {
        self.amqp_url = Some(url.to_owned());
        self
    }

    /// Puts a [`Proxy`] between the services and each of their servers.
    pub fn behind_proxies(mut self) -> Self {
        self.is_behind_proxies = true;
        self
    }

    /// Starts the stand-in and the services and waits until they are ready.
    pub async fn start(self) -> System {
        let dev = self.env.get("DEPLOYMENT_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("DEV"));
        let database = TestDatabase::new().await;
        let database = if dev { database.with_development().await } else { database };
        let vhost = self.amqp_url.is_none().then(TestVhost::new);
        let vhost = if dev { vhost.map(TestVhost::with_development) } else { vhost };
        let prices = self.prices.start().await.expect("the stand-in starts");
        let folder = Folder::create();
        let mut env = self.env;
        let amqp_url = self.amqp_url.or_else(|| vhost.as_ref().map(|vhost| vhost.url().to_owned()));
        let amqp_url = amqp_url.unwrap_or_default();
        let mut network = None;
        if self.is_behind_proxies {
            let (database, broker) = (Proxy::before(database.url()).await, Proxy::before(&amqp_url).await);
            network = Some(Network { database, broker });
        }
        let database_url = |url: &str| match &network {
            Some(network) => network.database.instead_of(url),
            None => url.to_owned(),
        };
        let own_database = env.contains_key("DATABASE_URL");
        let mut set = |key: &str, value: String| {
            env.entry(key.to_owned()).or_insert(value);
        };
        if !own_database {
            set("DATABASE_URL", database_url(database.url()));
            for service in [Owner::Trigger, Owner::Downloader, Owner::Executor, Owner::Status] {
                let key = format!("{}_DATABASE_URL", service.as_str().to_uppercase());
                set(&key, database_url(&database.url_of(service)));
            }
        }
        set("DATABASE_CONNECTIONS", "8".to_owned());
        set(
            "AMQP_URL",
            network.as_ref().map_or(amqp_url.clone(), |network| network.broker.instead_of(&amqp_url)),
        );
        set("ALPHAVANTAGE_BASE_URL", prices.base_url());
        set("ALPHAVANTAGE_API_KEY", "a-paying-key".to_owned());
        set("ENDPOINT_KEYS", "TEST_AGENT_KEY@127.0.0.1 THIS_IS_NOT_SET@127.0.0.1".to_owned());
        set("MODELDAY_LOG", "info".to_owned());
        if let Some((symbols, benchmark)) = self.symbols {
            let universe = serde_json::json!({ "name": "test", "symbols": symbols, "benchmark": benchmark });
            set("UNIVERSE_FILE", folder.write("universe.json", &universe.to_string()));
        }
        if let Some(models) = self.models {
            set("MODELS_FILE", folder.write("models.toml", &models));
        }
        System::start(self.shape, env, database, vhost, network, prices, folder).await
    }
}
