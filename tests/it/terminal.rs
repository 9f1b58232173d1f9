//! The real binary on a terminal.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Both ends of a new terminal: that which types and reads, and that of a program.
pub fn ends(columns: u16, rows: u16) -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    resize(&controller, columns, rows);
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    (File::from(controller), File::options().read(true).write(true).open(name).unwrap())
}

/// Gives a terminal so many columns and rows.
pub fn resize(end: impl AsFd, columns: u16, rows: u16) {
    tcsetwinsize(end, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// A program that runs on a terminal of its own, and what it has shown.
pub struct Terminal {
    controller: File,
    child: Child,
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts the program on a terminal of so many columns, which has more rows than any answer.
    pub fn start(command: &mut Command, columns: u16) -> Self {
        let (controller, terminal) = ends(columns, 1000);
        command.stdin(Stdio::from(terminal.try_clone().unwrap())).stdout(Stdio::from(terminal.try_clone().unwrap()));
        let child = command.stderr(Stdio::from(terminal)).spawn().unwrap();
        // Else the terminal never ends.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { controller, child, shown: Vec::new() }
    }

    /// Types these lines.
    #[must_use]
    pub fn typed(mut self, lines: &str) -> Self {
        self.controller.write_all(lines.as_bytes()).unwrap();
        self
    }

    /// Waits until a text is shown.
    #[must_use]
    pub fn until(mut self, text: &str) -> Self {
        let mut part = [0; 4096];
        while !self.text().contains(text) {
            let read = self.controller.read(&mut part).unwrap_or_default();
            assert!(read > 0, "it ended without {text:?}: {}", self.text());
            self.shown.extend(&part[..read]);
        }
        self
    }

    /// Asks the program to end, as `kill` does.
    #[must_use]
    pub fn terminated(self) -> Self {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self
    }

    /// All that the program showed, and its exit code.
    pub fn ended(mut self) -> (String, i32) {
        // The end of a terminal is an error on Linux.
        drop(self.controller.read_to_end(&mut self.shown));
        (self.text(), self.child.wait().unwrap().code().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).replace('\r', "")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}
