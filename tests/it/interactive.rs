//! `plan --interactive` on a terminal: the real binary, its keys and its screen.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use oktapieces::output::printer::Options;
use oktapieces::output::{Printer, Verbosity};
use ratatui_core::style::Style;
use rustix::termios::{LocalModes, tcgetattr};
use vt100::Parser;

use crate::support::Stage;
use crate::terminal;

/// A wait that is longer has failed.
const LIMIT: Duration = Duration::from_mins(4);

/// A terminal emulator with a program in it.
struct Emulator {
    controller: File,
    /// The end of the program, which stays open so that its modes can be read.
    end: File,
    screen: Arc<(Mutex<Parser>, Condvar)>,
    child: Child,
}

impl Emulator {
    /// Starts the command in a terminal of so many columns and rows.
    fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let (controller, end) = terminal::ends(columns, rows);
        let size = |length| NonZero::new(length).unwrap();
        let screen = Arc::new((Mutex::new(Parser::new(size(rows), size(columns), 0)), Condvar::new()));
        let (mut shown, fed) = (controller.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal is an error on Linux.
            while let Ok(length @ 1..) = shown.read(&mut bytes) {
                fed.0.lock().unwrap().process(&bytes[..length]);
                fed.1.notify_all();
            }
        });
        let stdio = || Stdio::from(end.try_clone().unwrap());
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        Self { controller, end, screen, child }
    }

    /// Waits until the screen is like this, and gives what it shows.
    fn until(&self, what: &str, is_there: impl Fn(&Parser) -> bool) -> String {
        let begun = Instant::now();
        let mut parser = self.screen.0.lock().unwrap();
        while !is_there(&parser) {
            assert!(begun.elapsed() < LIMIT, "no {what:?}:\n{}", parser.screen().contents());
            parser = self.screen.1.wait_timeout(parser, Duration::from_secs(1)).unwrap().0;
        }
        parser.screen().contents()
    }

    /// Waits until the screen shows the text. What is below it in the same picture may still be on its way, and a key that follows an
    /// escape before it is read is another key.
    fn shows(&self, text: &str) -> String {
        self.until(text, |parser| parser.screen().contents().contains(text))
    }

    /// Types the keys, and waits until the screen shows the text.
    fn types(&mut self, keys: &str, text: &str) -> String {
        self.controller.write_all(keys.as_bytes()).unwrap();
        self.shows(text)
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
    }

    /// Waits for the end of the program and until the screen of before shows the text, checks that the terminal is as it was, and gives
    /// the exit code and what is shown.
    fn ends(mut self, text: &str) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        let modes = tcgetattr(&self.end).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "raw mode: {modes:?}");
        // What is written last may be read later.
        let shown = self.until(text, |parser| {
            let screen = parser.screen();
            !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().contains(text)
        });
        (code, shown)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

/// `plan --interactive` with these arguments, once it shows the plan.
fn walking(stage: &Stage, arguments: &[&str], variables: &[(&str, &str)], (columns, rows): (u16, u16)) -> Emulator {
    let mut command = stage.command(&[&["plan", "--interactive"][..], arguments].concat());
    command.env("TERM", "xterm-256color").envs(variables.iter().copied());
    let terminal = Emulator::start(command, columns, rows);
    terminal.shows("space leave out");
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_stays_undone_and_the_rest_is_applied_from_the_file() {
    let stage = Stage::seeded().await;
    let whole = stage.plan().await;
    tokio::task::block_in_place(|| {
        let mut terminal = walking(&stage, &[], &[], (100, 30));
        for text in ["6 deactivations", "new ADMIN", "[x] ! "] {
            terminal.shows(text);
        }
        terminal.types("/rita", "search: rita_");
        terminal.types("\r", "q quit");
        terminal.types("\r", "esc back");
        for text in ["All of the plan for this user", "active → inactive", "- deactivate rita.rau@example.com"] {
            terminal.shows(text);
        }
        terminal.types("\u{1b}", "q quit");
        terminal.types(" ", "5 deactivations");
        terminal.shows("[ ] - deactivate");
        terminal.types("\u{1b}", "── all ──");
        terminal.types("f", "> all");
        terminal.types("\u{1b}[F", "> left out");
        terminal.types("\r", "── left out");
        terminal.types("s", "save as: plan.json_");
        terminal.controller.write_all(b"\r").unwrap();
        let (code, shown) = terminal.ends("Run oktapieces apply plan.json");
        assert!(code == 3 && shown.contains("5 to deactivate"), "{code} {shown}");
    });
    let applied = stage.run(&["apply", "plan.json"]).await;
    assert_eq!(applied.code, 3, "the problems of the company: {applied:#?}");
    assert!(stage.sandbox.platform().user("rita.rau@example.com").unwrap().active);
    let rest = stage.plan().await;
    let names = |plan: &serde_json::Value| -> Vec<String> {
        plan["users"].as_array().unwrap().iter().map(|op| op["user_name"].to_string()).collect()
    };
    assert_eq!(names(&rest), ["\"rita.rau@example.com\""], "{whole} {rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_depends_on_another_one_goes_with_it() {
    let stage = Stage::seeded().await;
    tokio::task::block_in_place(|| {
        let mut terminal = walking(&stage, &[], &[], (60, 15));
        terminal.types("/ada.ad", "search: ada.ad_");
        terminal.types("\r", "+ create");
        terminal.types(" ", "more change");
        for text in ["[ ] + create", "[-] + add"] {
            terminal.shows(text);
        }
        terminal.types("q", "quit without saving?");
        terminal.controller.write_all(b"y").unwrap();
        assert_eq!(terminal.ends("The plan wasn't saved").0, 3);
    });
    assert!(!stage.folder().join("plan.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_is_given_back_however_the_view_ends() {
    let stage = Stage::seeded().await;
    tokio::task::block_in_place(|| {
        for signal in ["TERM", "HUP", "INT"] {
            let terminal = walking(&stage, &[], &[], (80, 24));
            terminal.signal(signal);
            assert_eq!(terminal.ends("error[interrupted]").0, 130, "{signal}");
        }
        let mut terminal = walking(&stage, &[], &[], (80, 24));
        terminal.controller.write_all(&[3]).unwrap();
        assert_eq!(terminal.ends("error[interrupted]").0, 130, "ctrl-c");
        // A script that goes on with the file must not take an old one.
        let mut terminal = walking(&stage, &["--out", "kept.json"], &[], (80, 24));
        terminal.controller.write_all(b"q").unwrap();
        assert_eq!(terminal.ends("the plan wasn't saved").0, 130);
    });
    let runs = stage.run(&["history", "--json"]).await.json();
    assert!(runs["runs"].as_array().unwrap().len() == 5, "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_plan_is_never_replaced() {
    let stage = Stage::seeded().await;
    let config = std::fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    tokio::task::block_in_place(|| {
        let mut terminal = walking(&stage, &[], &[], (100, 24));
        terminal.types("s", "save as: plan.json_");
        terminal.types(&"\u{7f}".repeat(9), "save as: _");
        terminal.types("config.toml", "save as: config.toml_");
        terminal.types("\r", "config.toml is a file that holds no plan");
        terminal.types("s", "save as: plan.json_");
        terminal.controller.write_all(b"\r").unwrap();
        assert_eq!(terminal.ends("Run oktapieces apply plan.json").0, 3);
    });
    assert_eq!(std::fs::read_to_string(stage.folder().join("config.toml")).unwrap(), config);
    let shown = stage.run(&["show", "plan.json", "--json"]).await.json();
    assert_eq!(shown["hash"], stage.plan().await["hash"], "with nothing left out it's the whole plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_changes_its_size_is_drawn_again_and_colours_are_left_out_where_not_wanted() {
    let stage = Stage::seeded().await;
    let colours = |terminal: &Emulator| {
        let parser = terminal.screen.0.lock().unwrap();
        let (rows, columns) = parser.screen().size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        cells
            .filter_map(|(row, column)| parser.screen().cell(row, column))
            .any(|cell| cell.fgcolor() != vt100::Color::Default)
    };
    tokio::task::block_in_place(|| {
        let mut terminal = walking(&stage, &[], &[], (80, 24));
        assert!(colours(&terminal));
        terminal::resize(&terminal.end, 60, 10);
        terminal.signal("WINCH");
        terminal.shows("this needs 60 columns and 15 rows");
        terminal.controller.write_all(b"q").unwrap();
        assert_eq!(terminal.ends("The plan wasn't saved").0, 3);
        let mut terminal = walking(&stage, &[], &[("NO_COLOR", "1")], (80, 24));
        assert!(!colours(&terminal));
        terminal.controller.write_all(b"q").unwrap();
        assert_eq!(terminal.ends("The plan wasn't saved").0, 3);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_it_is_refused_before_anything_is_read() {
    let stage = Stage::seeded().await;
    for arguments in [&["plan", "--interactive"][..], &["plan", "-i", "--json"]] {
        let refused = stage.run(arguments).await;
        assert!(refused.code == 64 && refused.stderr.contains("cannot open the plan"), "{refused:#?}");
    }
    assert!(stage.run(&["plan", "-i", "--csv"]).await.code == 64);
    assert!(stage.sandbox.okta_traffic().counts().is_empty());
}

/// Runs in a terminal of its own, as its own process.
#[test]
#[ignore = "a_panic_leaves_the_terminal_as_it_was runs it"]
fn panics_on_the_screen() {
    let options = Options {
        color: anstream::ColorChoice::Auto,
        verbosity: Verbosity::Normal,
        json: false,
        all: false,
        pages: false,
        no_progress: false,
        no_input: false,
        ci: false,
    };
    let mut screen = Printer::new(options).screen().unwrap();
    screen.show(|buffer, _| buffer.set_string(0, 0, "on the screen", Style::new())).unwrap();
    // Its reader wants a key before it goes on.
    let mut key = [0];
    std::io::stdin().read_exact(&mut key).unwrap();
    panic!("a fault in the view");
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "interactive::panics_on_the_screen", "--ignored", "--nocapture"]).env("TERM", "xterm");
    // A backtrace would take the message off the screen.
    command.env("RUST_BACKTRACE", "0");
    let mut terminal = Emulator::start(command, 100, 24);
    terminal.shows("on the screen");
    terminal.controller.write_all(b"x").unwrap();
    let (code, shown) = terminal.ends("a fault in the view");
    assert!(code != 0 && !shown.contains("on the screen"), "{shown}");
}
