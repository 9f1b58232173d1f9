//! The whole screen of a terminal. It is left as it was found, however the program ends.

use std::future::poll_fn;
use std::io::{self, Stderr, Write};
use std::panic;
use std::pin::Pin;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{queue, style};
use futures_util::Stream;
use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color as CellColor, Modifier};

use super::walk::{Input, Key};

/// Whether the terminal is to be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A terminal in raw mode, on its alternate screen.
pub struct Screen {
    handle: fn() -> Stderr,
    /// What the terminal shows; none where that isn't known.
    shown: Option<Buffer>,
    size: (u16, u16),
    events: EventStream,
    colours: bool,
}

impl Screen {
    /// Takes the terminal that the handle writes to. A panic gives it back before its message is written.
    pub(super) fn open(handle: fn() -> Stderr, colours: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let told = panic::take_hook();
            panic::set_hook(Box::new(move |panicked| {
                leave(handle);
                told(panicked);
            }));
        });
        // Whether colours are wanted is decided here, not by the variables that the crate reads.
        style::force_color_output(true);
        let size = size(handle).ok_or(io::ErrorKind::NotFound)?;
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        // From here on the drop gives the terminal back.
        let screen = Self { handle, shown: None, size, events: EventStream::new(), colours };
        let mut out = Vec::new();
        queue!(out, EnterAlternateScreen, Hide)?;
        handle().write_all(&out)?;
        Ok(screen)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Shows what is drawn: writes the cells that changed. `draw` gets an empty buffer, and whether colours are wanted.
    pub fn show(&mut self, draw: impl FnOnce(&mut Buffer, bool)) -> io::Result<()> {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut next = Buffer::empty(area);
        draw(&mut next, self.colours);
        let mut out = Vec::new();
        let shown = self.shown.take().filter(|shown| shown.area == area);
        if shown.is_none() {
            queue!(out, Clear(ClearType::All))?;
        }
        let shown = shown.unwrap_or_else(|| Buffer::empty(area));
        for (x, y, cell) in shown.diff(&next) {
            queue!(out, MoveTo(x, y))?;
            put(&mut out, cell)?;
        }
        self.shown = Some(next);
        (self.handle)().write_all(&out)
    }

    /// Waits for what is typed, and gives all that is there.
    pub async fn inputs(&mut self) -> io::Result<Vec<Input>> {
        let (events, handle) = (&mut self.events, self.handle);
        let mut inputs = Vec::new();
        let inputs = poll_fn(|context| {
            loop {
                match Pin::new(&mut *events).poll_next(context) {
                    Poll::Ready(Some(Ok(event))) => inputs.extend(input(&event, handle)),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    Poll::Pending if inputs.is_empty() => return Poll::Pending,
                    Poll::Pending => return Poll::Ready(Ok(std::mem::take(&mut inputs))),
                }
            }
        })
        .await?;
        for input in &inputs {
            if let Input::Resize(width, height) = input {
                (self.size, self.shown) = ((*width, *height), None);
            }
        }
        Ok(inputs)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave(self.handle);
    }
}

/// Gives the terminal back, once: leaving the alternate screen again would move the cursor into what was written since. A terminal
/// that is gone can't be given back.
fn leave(handle: fn() -> Stderr) {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = Vec::new();
    drop(queue!(out, SetAttribute(Attribute::Reset), LeaveAlternateScreen, Show));
    drop(handle().write_all(&out));
    drop(terminal::disable_raw_mode());
}

fn put(out: &mut Vec<u8>, cell: &Cell) -> io::Result<()> {
    let colour = match cell.fg {
        CellColor::Red => Some(Color::DarkRed),
        CellColor::Green => Some(Color::DarkGreen),
        CellColor::Yellow => Some(Color::DarkYellow),
        CellColor::Cyan => Some(Color::DarkCyan),
        _ => None,
    };
    let modifiers =
        [(Modifier::BOLD, Attribute::Bold), (Modifier::DIM, Attribute::Dim), (Modifier::REVERSED, Attribute::Reverse)];
    queue!(out, SetAttribute(Attribute::Reset))?;
    for (_, attribute) in modifiers.iter().filter(|(modifier, _)| cell.modifier.contains(*modifier)) {
        queue!(out, SetAttribute(*attribute))?;
    }
    if let Some(colour) = colour {
        queue!(out, SetForegroundColor(colour))?;
    }
    queue!(out, Print(cell.symbol()))
}

/// Columns and rows of the terminal that is drawn on, which need not be the one that controls the process.
fn size(handle: fn() -> Stderr) -> Option<(u16, u16)> {
    terminal_size::terminal_size_of(handle()).map(|(width, height)| (width.0, height.0))
}

/// What an event of the terminal means here.
fn input(event: &Event, handle: fn() -> Stderr) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(*key).map(Input::Key),
        Event::Resize(..) => size(handle).map(|(width, height)| Input::Resize(width, height)),
        _ => None,
    }
}

/// A key that means something here.
fn pressed(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<Key> {
    if modifiers.contains(KeyModifiers::CONTROL) {
        return (code == KeyCode::Char('c')).then_some(Key::Interrupt);
    }
    // An escape and a key that come together are read as Alt and the key.
    if modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(match code {
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Char(c) => Key::Char(c),
        _ => return None,
    })
}
