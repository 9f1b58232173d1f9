//! The pictures of the docs: made from what the program prints on a terminal, and held to it.
//!
//! Only what differs from run to run is replaced: the addresses of the sandbox, times, and how long a run took.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::fmt::Write;
use std::path::Path;

use regex::Regex;

use crate::support::Stage;
use crate::terminal::Terminal;

/// One picture.
struct Scene {
    file: &'static str,
    columns: u16,
    /// The commands before it, which aren't shown.
    before: &'static [&'static [&'static str]],
    arguments: &'static [&'static str],
    /// The question that is answered with yes.
    question: Option<&'static str>,
    /// So many lines are shown of the beginning and of the end.
    lines: (usize, usize),
}

const SCENES: [Scene; 4] = [
    Scene { file: "plan", columns: 120, before: &[], arguments: &["plan"], question: None, lines: (36, 0) },
    Scene {
        file: "apply",
        columns: 100,
        before: &[&["apply", "--yes", "--only", "user=kai.klein@example.com"]],
        arguments: &["apply", "--only", "user=ada.adler@example.com"],
        question: Some("taken as a yes:"),
        lines: (13, 11),
    },
    Scene {
        file: "explain",
        columns: 130,
        before: &[&["apply", "--yes", "--only", "user=kai.klein@example.com"]],
        arguments: &["explain", "kai.klein@example.com"],
        question: None,
        lines: (40, 0),
    },
    Scene {
        file: "night",
        columns: 80,
        before: &[&["apply", "--yes"]],
        arguments: &["apply", "--yes", "--quiet"],
        question: None,
        lines: (10, 0),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_picture_shows_what_the_program_prints() {
    for scene in SCENES {
        let picture = Svg::of(&scene, &shown(&scene).await);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/pictures/{}.svg", scene.file));
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::write(&path, &picture).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == picture, "{} shows something else: run docs/pictures/make\n{picture}", path.display());
    }
}

/// What the command prints, after its prompt.
async fn shown(scene: &Scene) -> String {
    let stage = Stage::seeded().await;
    for arguments in scene.before {
        stage.run(arguments).await;
    }
    let arguments = [scene.arguments, &["--no-progress", "--color", "always"]].concat();
    let mut command = stage.command(&arguments);
    let (text, _) = tokio::task::block_in_place(|| {
        let terminal = Terminal::start(&mut command, scene.columns);
        match scene.question {
            Some(question) => terminal.until(question).typed("yes\n").ended(),
            None => terminal.ended(),
        }
    });
    let prompt = format!("\u{1b}[2m$\u{1b}[0m oktapieces {}", scene.arguments.join(" "));
    format!("{prompt}\n{}", scrubbed(&text, &stage))
}

fn scrubbed(text: &str, stage: &Stage) -> String {
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    let mut text = text
        .replace(&host(&stage.sandbox.okta_url()), "acme.okta.com")
        .replace(&host(&stage.sandbox.activepieces_url()), "flows.acme.com");
    for (pattern, constant) in [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-26 02:00:04"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z", "2026-11-26T02:00:04Z"),
        (r"\d+\.\d s\b", "1.2 s"),
        (r"in \d+ requests[^\n]*", "in 29 requests."),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, constant).into_owned();
    }
    text.trim_end().to_owned()
}

/// The width of a character and the height of a line, in pixels.
const CELL: (f32, f32) = (8.4, 19.0);
/// The space around the text.
const MARGIN: f32 = 18.0;

const STYLE: &str = "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d4d4d4;white-space:pre}\
    .s1{font-weight:bold;fill:#fff}.s2{fill:#9a9a9a}.s31{fill:#ff8078}.s32{fill:#8fd16f}.s33{fill:#e5c463}.s36{fill:#74cbe0}";

struct Svg;

impl Svg {
    /// The lines as they are on a terminal of the scene's width.
    fn of(scene: &Scene, text: &str) -> String {
        let mut lines: Vec<Vec<(String, char)>> = Vec::new();
        for line in cut(&text.lines().collect::<Vec<_>>(), scene.lines) {
            let cells = cells(&line);
            let rows = cells.chunks(scene.columns.into()).map(<[_]>::to_vec);
            lines.extend(if cells.is_empty() { vec![Vec::new()] } else { rows.collect() });
        }
        let width = f32::from(scene.columns) * CELL.0 + 2.0 * MARGIN;
        let height = lines.iter().map(|_| CELL.1).sum::<f32>() + 2.0 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\" xml:space=\"preserve\">\n\
             <title>oktapieces {}</title>\n<style>{STYLE}</style>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e1e1e\"/>\n",
            scene.arguments.join(" ")
        );
        let mut y = MARGIN;
        for line in lines {
            y += CELL.1;
            if !line.is_empty() {
                let length: f32 = line.iter().map(|_| CELL.0).sum();
                let (y, spans) = (y - 5.0, spans(&line));
                writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" textLength=\"{length:.0}\">{spans}</text>").unwrap();
            }
        }
        svg + "</svg>\n"
    }
}

/// The first and the last lines, with a line in the place of the others.
fn cut(lines: &[&str], (first, last): (usize, usize)) -> Vec<String> {
    if lines.len() <= first + last + 1 {
        return lines.iter().map(|line| (*line).to_owned()).collect();
    }
    let left = lines.len() - first - last;
    let shown = lines[..first].iter().chain(&lines[lines.len() - last..]).map(|line| (*line).to_owned());
    let mut shown: Vec<String> = shown.collect();
    shown.insert(first, format!("\u{1b}[2m… {left} more lines\u{1b}[0m"));
    shown
}

/// Each character of a line with its style, as the classes of the picture.
fn cells(line: &str) -> Vec<(String, char)> {
    let (mut cells, mut classes) = (Vec::new(), String::new());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((codes, after)) = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
            for code in codes.split(';') {
                if matches!(code, "" | "0") {
                    classes.clear();
                } else {
                    write!(classes, " s{code}").unwrap();
                }
            }
            rest = after;
        } else {
            cells.push((classes.trim().to_owned(), c));
            rest = &rest[c.len_utf8()..];
        }
    }
    cells
}

/// The characters of a line, those of one style together.
fn spans(cells: &[(String, char)]) -> String {
    cells.chunk_by(|(one, _), (other, _)| one == other).fold(String::new(), |text, cells| {
        let shown: String = cells.iter().map(|(_, c)| *c).collect();
        let shown = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        match cells[0].0.as_str() {
            "" => text + &shown,
            classes => format!("{text}<tspan class=\"{classes}\">{shown}</tspan>"),
        }
    })
}
