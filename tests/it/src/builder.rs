//! The configuration of a system under test: its processes, settings, prices and models.

use std::collections::BTreeMap;

use messaging::topology::Account;
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
    is_behind_proxies: bool,
    broker: Option<[String; 4]>,
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
            is_behind_proxies: false,
            broker: None,
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

    /// Replaces the broker of `make test` by another one, given as its URL for each service.
    pub fn broker(mut self, urls: [String; 4]) -> Self {
        self.broker = Some(urls);
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
        let vhost = self.broker.is_none().then(TestVhost::new);
        let vhost = if dev { vhost.map(TestVhost::with_development) } else { vhost };
        let prices = self.prices.start().await.expect("the stand-in starts");
        let folder = Folder::create();
        let mut env = self.env;
        let of_vhost =
            || Account::ALL.map(|account| vhost.as_ref().map_or_else(String::new, |own| own.url_of(account)));
        let brokers = self.broker.unwrap_or_else(of_vhost);
        let mut network = None;
        if self.is_behind_proxies {
            let (database, broker) = (Proxy::before(database.url()).await, Proxy::before(&brokers[0]).await);
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
        for (account, url) in Account::ALL.into_iter().zip(brokers) {
            let url = network.as_ref().map_or(url.clone(), |network| network.broker.instead_of(&url));
            set(&format!("{}_AMQP_URL", account.as_str().to_uppercase()), url);
        }
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
