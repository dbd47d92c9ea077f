//! The package for Python: built as a wheel, installed alone into a fresh environment, and used from there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use it::{Shape, System, python_programs};

/// What the package's own tests need is installed; the package comes into an environment of its own beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_installed_package_runs_a_job_and_its_notebook_and_quantstats_agrees_with_the_leaderboard() {
    let Some(programs) = python_programs("client") else { return };
    let environment = Environment::with_the_package(&programs);
    let system = System::builder(Shape::OneProcess).start().await;

    run(environment
        .python(&["-m", "mypy", "--config-file"])
        .arg(package().join("pyproject.toml"))
        .arg("--cache-dir=/dev/null"));
    run(environment
        .python(&["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(package().join("tests"))
        .env("MODELDAY_URL", &system.client.status_url));
}

/// A virtual environment with nothing but the wheel, which finds other packages where they were installed for tests.
struct Environment {
    folder: PathBuf,
}

impl Environment {
    fn with_the_package(programs: &Path) -> Self {
        let folder = std::env::temp_dir().join(format!("modelday-python-{}", uuid::Uuid::now_v7()));
        let environment = Self { folder };
        let (folder, python) = (&environment.folder, programs.join("python"));
        run(Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(folder));
        let wheels = folder.join("wheels");
        let pip = || {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "--disable-pip-version-check", "-q"]);
            pip
        };
        run(pip()
            .args(["wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w"])
            .arg(&wheels)
            .arg(package()));
        run(pip()
            .arg("--python")
            .arg(folder.join("bin/python"))
            .args(["install", "--no-index", "--no-deps", "--find-links"])
            .args([wheels.as_os_str(), OsStr::new("modelday")]));
        let others = site_packages(&python);
        std::fs::write(Path::new(&site_packages(&folder.join("bin/python"))).join("others.pth"), others)
            .unwrap();
        // What the wheel says that it needs is there.
        run(&mut environment.python(&["-m", "pip", "--disable-pip-version-check", "check"]));
        environment.declare_kernel();
        environment
    }

    /// Notebooks run with this environment, whatever kernels the machine has.
    fn declare_kernel(&self) {
        let kernel = self.folder.join("jupyter/kernels/python3");
        std::fs::create_dir_all(&kernel).unwrap();
        let argv = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
            .map(|argument| serde_json::json!(argument));
        let argv: Vec<_> =
            [serde_json::json!(self.folder.join("bin/python"))].into_iter().chain(argv).collect();
        let spec = serde_json::json!({ "argv": argv, "display_name": "Python 3", "language": "python" });
        std::fs::write(kernel.join("kernel.json"), spec.to_string()).unwrap();
    }

    fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.join("bin/python"));
        command.args(arguments).current_dir(&self.folder);
        command.env("JUPYTER_PATH", self.folder.join("jupyter")).env("HOME", &self.folder);
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
        command
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/python").canonicalize().unwrap()
}

/// The folder of an environment's packages.
fn site_packages(python: &Path) -> String {
    let program = "import sysconfig; print(sysconfig.get_path('purelib'))";
    run(Command::new(python).args(["-c", program])).trim().to_owned()
}

/// Runs the command, which must succeed; its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}
