//! Help and completion, which need no server.

use crate::command::{modelday, modelday_with};

const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn every_shell_gets_a_script_that_asks_this_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = modelday(NOWHERE, &["completion", shell]);

        assert_eq!(ran.code, Some(0), "{shell}: {ran:?}");
        assert!(ran.out.contains("MODELDAY_COMPLETE"), "{shell} does not ask this program: {ran:?}");
    }
    let script = modelday(NOWHERE, &["completion", "bash"]).out;
    let read = std::process::Command::new("bash").args(["-nc", &script]).status().unwrap();
    assert!(read.success(), "bash cannot read it");
}

#[test]
fn help_lists_the_exit_codes_and_shows_no_secret() {
    let ran = modelday_with(NOWHERE, &[("MODELDAY_TOKEN", "mdt_secret")], &["--help"]);

    assert_eq!(ran.code, Some(0));
    for line in [
        "Jobs:",
        "  watch        Watch a job until it has ended",
        "  3    a job that was watched ended partial",
    ] {
        assert!(ran.out.lines().any(|shown| shown == line), "{line:?} is not in {}", ran.out);
    }
    assert!(!ran.out.contains("mdt_secret"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let program = it::binary("modelday");
    let piped = format!("{} completion bash | head -n 1; echo ${{PIPESTATUS[0]}}", program.display());

    let output = std::process::Command::new("bash").args(["-c", &piped]).output().unwrap();

    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("\n0\n"));
}
