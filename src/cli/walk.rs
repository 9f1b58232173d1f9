//! `plan --interactive`: lets the admin walk through a plan and save a part of it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::FutureExt;

use crate::error::{Error, Kind, Result};
use crate::output::Printer;
use crate::output::screen::Screen;
use crate::output::walk::{Input, Walk, Wish, draw};
use crate::plan::Plan;
use crate::sync::interrupt::{Interrupt, interrupted, signal};

/// Shows the plan until it is saved, and gives the file, or none if the admin quits without saving. A file that can't be written is
/// told on the screen, where another one can be named.
pub async fn through(
    walk: &mut Walk<'_>,
    printer: &Printer,
    save: impl FnMut(&Plan, &Path) -> Result<()>,
) -> Result<Option<PathBuf>> {
    let mut stop = pin!(signal());
    // Signals are heard from the first poll on, before the terminal is taken.
    if stop.as_mut().now_or_never().is_some() {
        return Err(interrupted());
    }
    let mut screen = printer.screen()?;
    let walked = obey(walk, &mut screen, stop, save).await;
    drop(screen);
    // From here on a signal ends the program again.
    drop(Interrupt::watch());
    walked
}

async fn obey(
    walk: &mut Walk<'_>,
    screen: &mut Screen,
    mut stop: impl Future<Output = ()> + Unpin,
    mut save: impl FnMut(&Plan, &Path) -> Result<()>,
) -> Result<Option<PathBuf>> {
    let lost = |error| Error::from_source(Kind::Failed, error).context("the terminal is gone");
    let (width, height) = screen.size();
    walk.take(Input::Resize(width, height));
    loop {
        screen.show(|buffer, colours| draw::draw(walk, buffer, colours)).map_err(lost)?;
        let inputs = tokio::select! {
            () = &mut stop => return Err(interrupted()),
            inputs = screen.inputs() => inputs.map_err(lost)?,
        };
        for input in inputs {
            match walk.take(input) {
                None => {}
                Some(Wish::Quit) => return Ok(None),
                Some(Wish::Interrupt) => return Err(interrupted()),
                Some(Wish::Save(name)) => {
                    let path = PathBuf::from(name);
                    match save(walk.rest(), &path) {
                        Ok(()) => return Ok(Some(path)),
                        Err(error) => walk.say(error.to_string()),
                    }
                }
            }
        }
    }
}
