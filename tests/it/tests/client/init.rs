//! `modelday init`: from keys to the entries of a model, each tried with one call.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use it::binary;
use standin::AlphaVantage;
use standin::chat::ChatEndpoint;

use crate::terminal::Terminal;

const PRICE_KEY: &str = "PRICEKEY12345";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";
const MODEL_KEY: &str = "sk-a-very-secret-key";

/// A folder that is removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-init-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(path.join("configs")).unwrap();
        std::fs::write(path.join("configs/models.toml"), "# mine\n[[models]]\nsignature = \"old\"\n")
            .unwrap();
        std::fs::write(path.join(".env"), "OTHER=stays\nALPHAVANTAGE_API_KEY=old\n").unwrap();
        Self(path)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn init(folder: &Path, prices: &str, chat: &str, keys: [&str; 2], model: &str) -> Output {
    let mut command = Command::new(binary("modelday"));
    command.args(["init", "--no-input", "--provider", "alpha-vantage", "--kind", "llm", "--model", model]);
    command.args(["--url", chat, "--basemodel", "m", "--symbols", "AAPL,MSFT"]);
    command.args(["--start", "2025-10-05", "--end", "2025-10-10"]).arg("--folder").arg(folder);
    command
        .env_clear()
        .env("MODELDAY_URL", NOWHERE)
        .env("ALPHAVANTAGE_BASE_URL", prices)
        .env("ALPHAVANTAGE_API_KEY", keys[0]);
    command.env("MODEL_MY_MODEL_API_KEY", keys[1]).env("ENDPOINT_KEYS", "MODEL_MY_MODEL_API_KEY@127.0.0.1");
    command.current_dir(folder).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_tried_with_one_call_each_and_the_entries_are_written_without_showing_them() {
    let prices = AlphaVantage::builder().start().await.unwrap();
    let chat = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    chat.require_key(MODEL_KEY);
    let folder = Folder::new();
    let before = (folder.read(".env"), folder.read("configs/models.toml"));

    let refused = init(&folder.0, &prices.base_url(), &chat.base_url(), [PRICE_KEY, "sk-wrong"], "my-model");
    let text = printed(&refused);
    assert!(
        !refused.status.success() && text.contains("nothing was written") && text.contains("fix: "),
        "{text}"
    );
    assert_eq!((folder.read(".env"), folder.read("configs/models.toml")), before);
    let calls = chat.calls().len();

    let done = init(&folder.0, &prices.base_url(), &chat.base_url(), [PRICE_KEY, MODEL_KEY], "my-model");

    let text = printed(&done);
    assert!(done.status.success(), "{text}");
    let run = "modelday run --models my-model --symbols AAPL,MSFT --start 2025-10-05 --end 2025-10-10";
    assert!(text.contains(run), "{text}");
    assert!(!text.contains(PRICE_KEY) && !text.contains(MODEL_KEY), "{text}");
    assert_eq!(chat.calls().len(), calls + 1, "one call of the model");
    let variables = folder.read(".env");
    for line in [
        "OTHER=stays",
        &format!("ALPHAVANTAGE_API_KEY='{PRICE_KEY}'"),
        &format!("MODEL_MY_MODEL_API_KEY='{MODEL_KEY}'"),
    ] {
        assert!(variables.lines().any(|found| found == line), "{line} is not in {variables}");
    }
    assert!(!variables.contains("=old"), "{variables}");
    let mode = std::fs::metadata(folder.0.join(".env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let models = folder.read("configs/models.toml");
    assert!(models.starts_with("# mine\n[[models]]\nsignature = \"old\"\n"), "{models}");
    assert!(models.contains("signature = \"my-model\"") && !models.contains(MODEL_KEY), "{models}");
    assert!(!variables.contains("UNIVERSE_FILE"), "the sample keeps its own symbols: {variables}");
    let again = init(&folder.0, &prices.base_url(), &chat.base_url(), [PRICE_KEY, MODEL_KEY], "my-model");
    assert!(printed(&again).contains("is in the models file already"), "{}", printed(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_into_a_terminal_is_taken_and_a_key_is_not_shown() {
    let prices = AlphaVantage::builder().start().await.unwrap();
    let chat = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let folder = Folder::new();
    let mut command = Command::new(binary("modelday"));
    command.arg("init").arg("--folder").arg(&folder.0).current_dir(&folder.0);
    command.env_clear().env("MODELDAY_URL", NOWHERE).env("ALPHAVANTAGE_BASE_URL", prices.base_url());
    let mut terminal = Terminal::run(command);

    for (question, answer) in [
        ("Prices from (alpha-vantage, tiingo, massive, none):", "alpha-vantage"),
        ("ALPHAVANTAGE_API_KEY (it is not shown):", PRICE_KEY),
        ("Kind of model (llm, http):", "LLM"),
        ("Name of the model in Modelday:", "typed"),
        ("Address of its endpoint:", &chat.base_url()),
        ("Its name at the endpoint:", "m"),
        ("Symbols, separated by commas:", "aapl, msft"),
        ("First date, YYYY-MM-DD:", "2025-10-06"),
        ("Last date, YYYY-MM-DD:", "2025-10-10"),
    ] {
        terminal.answer(question, answer).await;
    }
    let (succeeded, shown) = terminal.ended().await;

    assert!(succeeded, "{shown}");
    assert!(
        shown.contains("run --models typed --symbols AAPL,MSFT --start 2025-10-06 --end 2025-10-10"),
        "{shown}"
    );
    assert!(shown.contains("2025-10-06\r\n") && !shown.contains(PRICE_KEY), "{shown}");
    assert!(
        folder.read(".env").contains(PRICE_KEY) && folder.read("configs/models.toml").contains("\"typed\"")
    );
}

#[test]
fn what_is_missing_is_named_when_nobody_can_be_asked() {
    let output = Command::new(binary("modelday")).args(["init", "--no-input"]).env_clear().output().unwrap();

    assert!(!output.status.success() && printed(&output).contains("--provider is missing"), "{output:?}");
}
