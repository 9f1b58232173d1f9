//! The recorded answers of a real server, compared with the sandbox's.

use std::path::Path;

use oktapieces_sandbox::activepieces::Platform;

use super::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn all_recorded_requests_are_answered_alike() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/contract"));
    let script = folder.join("contract.py");
    let python = tokio::process::Command::new("python3").arg("--version").output().await;
    if !script.exists() || python.is_err() {
        eprintln!("skipped: no recorded answers beside the project, or no python3");
        return;
    }
    let server = Server::serve(Platform::new(1)).await;
    let sent = tokio::process::Command::new("python3")
        .arg(&script)
        .args([&server.url, server.platform.api_key()])
        .output()
        .await
        .unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let answers = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(answers.path(), &sent.stdout).unwrap();
    let compared = tokio::process::Command::new("python3")
        .arg(&script)
        .arg("--diff")
        .args([&folder.join("activepieces-0.85.jsonl"), answers.path()])
        .output()
        .await
        .unwrap();
    let report = String::from_utf8_lossy(&compared.stdout);
    assert!(report.trim_end().ends_with("130 of 130 answers alike"), "{report}");
}
