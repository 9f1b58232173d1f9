//! Help, completions, man pages and the version.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use crate::support::{Outcome, files_below, run};

async fn told(arguments: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &[], arguments).await
}

fn commands() -> Vec<String> {
    oktapieces::cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn help_knows_commands_and_topics_and_corrects_a_typo() {
    assert_eq!(told(&["help"]).await.stdout, told(&["--help"]).await.stdout);
    for name in commands() {
        let help = told(&["help", &name]).await;
        assert_eq!(help.code, 0, "{help:#?}");
        assert_eq!(help.stdout, told(&[&name, "--help"]).await.stdout);
    }
    for topic in ["config", "environment", "exit-codes", "expressions"] {
        let help = told(&["help", topic]).await;
        assert!(help.code == 0 && help.stdout.lines().count() > 10, "{help:#?}");
    }
    let typo = told(&["help", "exit-code"]).await;
    assert_eq!(typo.code, 64);
    assert!(typo.stderr.contains("did you mean `oktapieces help exit-codes`?"), "{typo:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topics_about_exit_codes_and_variables() {
    insta::assert_snapshot!(told(&["help", "exit-codes"]).await.stdout);
    let environment = told(&["help", "environment"]).await.stdout;
    insta::assert_snapshot!(environment.split("OKTAPIECES_ACTIVEPIECES").next().unwrap());
}

#[test]
fn the_readme_has_the_exit_codes_of_the_program() {
    let readme = include_str!("../../README.md");
    for (code, meaning) in oktapieces::error::EXIT_CODES {
        assert!(readme.contains(&format!("\n| {code} | {meaning} |\n")), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = told(&["completions", shell]).await;
        assert_eq!(script.code, 0, "{script:#?}");
        assert!(!script.stdout.contains("\\u{"), "a character of the script was escaped: {shell}");
        for name in commands() {
            assert!(script.stdout.contains(&name), "{shell}: {name}");
        }
    }
    assert_eq!(told(&["completions", "csh"]).await.code, 64);
}

/// bash is where Linux is; the others are parsed by their own users.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_a_command_and_its_flags() {
    let script = told(&["completions", "bash"]).await.stdout;
    let complete = |words: &str, at: usize| {
        let (current, previous) = (words.rsplit(' ').next().unwrap(), words.rsplit(' ').nth(1).unwrap());
        let call = format!("COMP_WORDS=({words}); COMP_CWORD={at}; _oktapieces oktapieces {current} {previous}");
        let script = format!("{script}\n{call}; echo \"${{COMPREPLY[@]}}\"");
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("oktapieces hist", 1).trim(), "history");
    assert_eq!(complete("oktapieces plan --detailed", 2).trim(), "--detailed-exitcode");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), &[], &["man", "--out", "man/pages"]).await;
    assert_eq!(made.code, 0, "{made:#?}");
    let files = files_below(&folder.path().join("man/pages"));
    let names: Vec<String> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    for name in commands() {
        assert!(names.contains(&format!("oktapieces-{name}.1")), "{name}: {names:?}");
    }
    for name in ["oktapieces.1", "oktapieces-config.5", "oktapieces-expressions.7"] {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    for path in &files {
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page.contains("\n.SH NAME\n") || page.contains("\n.SH NAME\r\n"), "{}", path.display());
    }
    let printed = told(&["man"]).await.stdout;
    assert_eq!(
        printed.trim_end(),
        std::fs::read_to_string(folder.path().join("man/pages/man1/oktapieces.1")).unwrap().trim_end()
    );
    for heading in ["EXIT STATUS", "ENVIRONMENT", "EXAMPLES"] {
        assert!(printed.contains(heading), "{heading}");
    }
}

/// What the build script says of a commit; a debug build doesn't ask for it.
#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_that_of_the_package() {
    let version = told(&["--version"]).await.stdout;
    assert!(version.starts_with(concat!("oktapieces ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert_eq!(told(&["-V"]).await.stdout, version);
}
