//! A system to be: what it runs as, with which settings, prices and models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use standin::AlphaVantage;
use test_support::{TestDatabase, TestVhost};

use crate::system::{Shape, System};

/// A system under test before it starts.
pub struct Builder {
    shape: Shape,
    env: BTreeMap<String, String>,
    prices: standin::Builder,
    symbols: Option<(Vec<String>, Option<String>)>,
    models: Option<String>,
    amqp_url: Option<String>,
}

impl Builder {
    /// The configuration of the repository, recorded prices, a database and a virtual host of its own.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            env: BTreeMap::new(),
            prices: AlphaVantage::builder(),
            symbols: None,
            models: None,
            amqp_url: None,
        }
    }

    /// A setting of the services.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Changes the price provider's stand-in.
    pub fn prices(mut self, change: impl FnOnce(standin::Builder) -> standin::Builder) -> Self {
        self.prices = change(self.prices);
        self
    }

    /// Another universe than the repository's.
    pub fn universe(mut self, symbols: &[&str], benchmark: Option<&str>) -> Self {
        let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        self.symbols = Some((symbols, benchmark.map(str::to_owned)));
        self
    }

    /// Other models than the repository's, as TOML.
    pub fn models(mut self, toml: &str) -> Self {
        self.models = Some(toml.to_owned());
        self
    }

    /// Another broker than the one of `make test`.
    pub fn broker(mut self, url: &str) -> Self {
        self.amqp_url = Some(url.to_owned());
        self
    }

    /// Starts the stand-in and the services, and waits until they are ready.
    pub async fn start(self) -> System {
        let database = TestDatabase::new().await;
        let dev = self.env.get("DEPLOYMENT_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("DEV"));
        let vhost = self.amqp_url.is_none().then(TestVhost::new);
        let vhost = if dev { vhost.map(TestVhost::with_development) } else { vhost };
        let prices = self.prices.start().await.expect("the stand-in starts");
        let folder = Folder::create();
        let mut env = self.env;
        let mut set = |key: &str, value: String| {
            env.entry(key.to_owned()).or_insert(value);
        };
        set("DATABASE_URL", database.url().to_owned());
        set("DATABASE_CONNECTIONS", "8".to_owned());
        let amqp_url = self.amqp_url.or_else(|| vhost.as_ref().map(|vhost| vhost.url().to_owned()));
        set("AMQP_URL", amqp_url.unwrap_or_default());
        set("ALPHAVANTAGE_BASE_URL", prices.base_url());
        set("ALPHAVANTAGE_API_KEY", "a-paying-key".to_owned());
        set("MODELDAY_LOG", "info".to_owned());
        if let Some((symbols, benchmark)) = self.symbols {
            let universe = serde_json::json!({ "name": "test", "symbols": symbols, "benchmark": benchmark });
            set("UNIVERSE_FILE", folder.write("universe.json", &universe.to_string()));
        }
        if let Some(models) = self.models {
            set("MODELS_FILE", folder.write("models.toml", &models));
        }
        System::start(self.shape, env, database, vhost, prices, folder).await
    }
}

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn create() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-test-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
