//! Reads and writes files: a file must be a plain one of a bounded size. Owner and mode are read from the open handle,
//! so that the file can't be replaced between the check and its use.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::without_number;

/// How long a write to a pipe waits for its reader to take the next part.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a file isn't used: what follows the file's name in a message.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("can't be used: {}", without_number(.0))]
    Io(io::Error),
    #[error("can't be read: {}", without_number(.0))]
    Unreadable(io::Error),
    #[error("is {0}, not a plain file")]
    Kind(&'static str),
    #[error("is {0}, not a folder")]
    NoFolder(&'static str),
    #[error("is a symbolic link")]
    Link,
    #[error("has a second name (a hard link)")]
    SecondName,
    #[error("belongs to another user of this machine (user id {0})")]
    Owner(u32),
    #[error("can be written by other users of this machine")]
    Writable,
    #[error("is larger than {0} bytes")]
    Large(u64),
    #[error("is a pipe that no program reads")]
    NoReader,
    #[error("is no UTF-8 text")]
    NoText,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Refusal {
    /// The kind of the system's error, where it is one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io(error) | Self::Unreadable(error) => Some(error.kind()),
            _ => None,
        }
    }
}

/// A file that decides what the program does, with the rights of other users to it.
pub struct Trusted {
    pub bytes: Vec<u8>,
    /// Whether its group may write it.
    pub group_writes: bool,
    /// Whether its group or others have any right to it.
    pub shared: bool,
}

/// Reads a plain file whose content decides nothing by itself.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Refusal> {
    let (file, metadata) = open(path)?;
    bounded(file, &metadata, most)
}

/// Reads a text as [`read`] does.
pub fn text(path: &Path, most: u64) -> Result<String, Refusal> {
    String::from_utf8(read(path, most)?).map_err(|_| Refusal::NoText)
}

/// The whole standard input, which is read once; later calls get the same.
pub fn input(most: u64) -> Result<&'static [u8], Refusal> {
    static READ: Mutex<Option<&'static [u8]>> = Mutex::new(None);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = *read {
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(most + 1).read_to_end(&mut bytes).map_err(Refusal::Unreadable)?;
    if bytes.len() as u64 > most {
        return Err(Refusal::Large(most));
    }
    Ok(read.insert(bytes.leak()))
}

/// Reads a plain file that only this user and root own and that others may not write.
pub fn read_trusted(path: &Path, most: u64) -> Result<Trusted, Refusal> {
    let (file, metadata) = open(path)?;
    let Rights { owner, mode, .. } = Rights::of(&metadata);
    if !is_trusted(owner) {
        return Err(Refusal::Owner(owner));
    }
    if mode & 0o002 != 0 {
        return Err(Refusal::Writable);
    }
    let bytes = bounded(file, &metadata, most)?;
    Ok(Trusted { bytes, group_writes: mode & 0o020 != 0, shared: mode & 0o077 != 0 })
}

/// Opens a plain file to read it. A pipe isn't waited for, and a link is followed only if this user or root made it.
pub fn open(path: &Path) -> Result<(File, Metadata), Refusal> {
    let link = std::fs::symlink_metadata(path).map_err(Refusal::Unreadable)?;
    if link.is_symlink() && !is_trusted(Rights::of(&link).owner) {
        return Err(Refusal::Link);
    }
    let mut options = OpenOptions::new();
    options.read(true);
    never_wait(&mut options, false);
    let file = options.open(path).map_err(Refusal::Unreadable)?;
    let metadata = file.metadata().map_err(Refusal::Unreadable)?;
    plain(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file that only the program itself uses, and makes it where there is none: plain, this user's, and closed to others,
/// under one name, and not behind a link.
pub fn open_own(path: &Path) -> Result<File, Refusal> {
    check_own(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    never_wait(&mut options, true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    own(&file.metadata()?)?;
    private(&file, 0o600)?;
    Ok(file)
}

/// Refuses a file of the program's own that isn't as [`open_own`] makes them; one that isn't there is right.
pub fn check_own(path: &Path) -> Result<(), Refusal> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(Refusal::Link),
        Ok(metadata) => own(&metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder that only the program itself uses, with the folders above it; refuses one that is a link or belongs to
/// another user, and takes the rights of other users away.
pub fn own_folder(path: &Path) -> Result<(), Refusal> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    let metadata = match (std::fs::symlink_metadata(path), made) {
        (Ok(metadata), _) => metadata,
        (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(error.into()),
    };
    if !metadata.is_dir() {
        return Err(Refusal::NoFolder(kind(&metadata)));
    }
    #[cfg(unix)]
    {
        let mut options = OpenOptions::new();
        options.read(true);
        never_wait(&mut options, true);
        let folder = options.open(path)?;
        let metadata = folder.metadata()?;
        let owner = Rights::of(&metadata).owner;
        if !metadata.is_dir() {
            return Err(Refusal::NoFolder(kind(&metadata)));
        }
        if owner != me() {
            return Err(Refusal::Owner(owner));
        }
        private(&folder, 0o700)?;
    }
    Ok(())
}

/// Writes a file whole or not at all, for its owner alone. An existing file that isn't plain is written into if it is a
/// pipe with a reader or a character device, and refused otherwise; it is never replaced.
pub fn write_out(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => write_into(path, &metadata, bytes),
        _ => replace(path, bytes, None),
    }
}

/// Makes a file for its owner alone, whole or not at all, where there is none of this name.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file that other users may read too, whole or not at all, as [`write_out`] does.
pub fn write_shared(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => write_into(path, &metadata, bytes),
        _ => replace(path, bytes, readable()),
    }
}

/// Replaces a plain file of this user's, or makes it, whole or not at all; every user of the machine may read it.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    check_own(path)?;
    replace(path, bytes, readable())
}

/// The permissions of a file that every user of the machine may read.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none of the kind")]
fn readable() -> Option<std::fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable() -> Option<std::fs::Permissions> {
    None
}

/// Makes a folder for files that other users may read, with the folders above it.
pub fn folder(path: &Path) -> Result<(), Refusal> {
    Ok(std::fs::create_dir_all(path)?)
}

/// Replaces a plain file, or makes it, whole or not at all; with these permissions, or for its owner alone.
pub fn replace(path: &Path, bytes: &[u8], permissions: Option<std::fs::Permissions>) -> Result<(), Refusal> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_into(path: &Path, seen: &Metadata, bytes: &[u8]) -> Result<(), Refusal> {
    if seen.is_dir() {
        return Err(Refusal::Kind(kind(seen)));
    }
    if seen.is_symlink() && !is_trusted(Rights::of(seen).owner) {
        return Err(Refusal::Link);
    }
    // Where the link leads to nothing, nothing is made.
    let target = std::fs::metadata(path)?;
    if target.is_file() {
        return Err(Refusal::Link);
    }
    if !takes_text(&target) {
        return Err(Refusal::Kind(kind(&target)));
    }
    let mut options = OpenOptions::new();
    options.write(true);
    never_wait(&mut options, false);
    let mut file = options.open(path).map_err(without_reader)?;
    let opened = file.metadata()?;
    if !takes_text(&opened) {
        return Err(Refusal::Kind(kind(&opened)));
    }
    write_patiently(&mut file, bytes, PATIENCE)?;
    Ok(())
}

/// Writes all of it to a pipe that may be full for a while; gives up once its reader takes nothing for so long.
fn write_patiently(to: &mut impl Write, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let mut moved = Instant::now();
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                moved = Instant::now();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && moved.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether two files are one: the open one, and the one that has the name now.
pub fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok(same(&file.metadata()?, &named)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn bounded(file: File, metadata: &Metadata, most: u64) -> Result<Vec<u8>, Refusal> {
    // A file of /proc has no length of its own, so what is read counts too.
    if metadata.len() > most {
        return Err(Refusal::Large(most));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(Refusal::Unreadable)?;
    if bytes.len() as u64 > most { Err(Refusal::Large(most)) } else { Ok(bytes) }
}

fn plain(metadata: &Metadata) -> Result<(), Refusal> {
    if metadata.is_file() { Ok(()) } else { Err(Refusal::Kind(kind(metadata))) }
}

fn own(metadata: &Metadata) -> Result<(), Refusal> {
    plain(metadata)?;
    let Rights { owner, names, .. } = Rights::of(metadata);
    match (owner == me(), names) {
        (false, _) => Err(Refusal::Owner(owner)),
        (true, 0 | 1) => Ok(()),
        (true, _) => Err(Refusal::SecondName),
    }
}

/// Who may do what with a file.
struct Rights {
    owner: u32,
    mode: u32,
    names: u64,
}

impl Rights {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { owner: metadata.uid(), mode: metadata.mode(), names: metadata.nlink() }
    }

    /// As if it were this user's alone: these systems have other rights, which are left to the admin.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self { owner: me(), mode: 0o600, names: 1 }
    }
}

/// The user id of this process.
#[cfg(unix)]
pub fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub fn me() -> u32 {
    0
}

/// Whether a file of this owner may be trusted: root can write everything anyway.
fn is_trusted(owner: u32) -> bool {
    owner == me() || owner == 0
}

#[cfg(unix)]
fn never_wait(options: &mut OpenOptions, no_link: bool) {
    use rustix::fs::OFlags;
    let link = if no_link { OFlags::NOFOLLOW } else { OFlags::empty() };
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY | link).bits();
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.cast_signed());
}

#[cfg(not(unix))]
fn never_wait(_: &mut OpenOptions, _: bool) {}

/// Sets the mode where it's another one.
#[cfg(unix)]
fn private(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let current = file.metadata()?.permissions().mode() & 0o777;
    if current == mode { Ok(()) } else { file.set_permissions(PermissionsExt::from_mode(mode)) }
}

#[cfg(not(unix))]
fn private(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// A pipe without a reader can't be opened for writing without waiting for one.
#[cfg(unix)]
fn without_reader(error: io::Error) -> Refusal {
    if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::NXIO) {
        return Refusal::NoReader;
    }
    Refusal::Io(error)
}

#[cfg(not(unix))]
fn without_reader(error: io::Error) -> Refusal {
    Refusal::Io(error)
}

#[cfg(unix)]
fn takes_text(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo() || metadata.file_type().is_char_device()
}

#[cfg(not(unix))]
fn takes_text(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The kind of what isn't a plain file.
fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        for (is, name) in [
            (kind.is_fifo(), "a pipe"),
            (kind.is_char_device() || kind.is_block_device(), "a device"),
            (kind.is_socket(), "a socket"),
        ] {
            if is {
                return name;
            }
        }
    }
    match (kind.is_dir(), kind.is_symlink()) {
        (true, _) => "a folder",
        (_, true) => "a symbolic link",
        _ => "a plain file",
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    const MOST: u64 = 100;

    /// A folder with a plain file `file`, a link `link` to it, a pipe `pipe`, and a second name `twin` of another file.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        symlink(at("file"), at("link")).unwrap();
        pipe(&at("pipe"));
        std::fs::write(at("one"), "").unwrap();
        std::fs::hard_link(at("one"), at("twin")).unwrap();
        folder
    }

    fn pipe(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_plain_files_are_read_and_no_pipe_is_waited_for() {
        let folder = folder();
        let of = |path: PathBuf| read(&path, MOST);
        assert_eq!(of(folder.path().join("file")).unwrap(), b"text");
        assert_eq!(of(folder.path().join("link")).unwrap(), b"text", "this user's own link");
        assert!(matches!(of(folder.path().join("pipe")), Err(Refusal::Kind("a pipe"))));
        assert!(matches!(of(folder.path().to_owned()), Err(Refusal::Kind("a folder"))));
        assert!(matches!(of("/dev/zero".into()), Err(Refusal::Kind("a device"))));
        assert_eq!(of(folder.path().join("none")).unwrap_err().io_kind(), Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = folder();
        let path = folder.path().join("file");
        std::fs::write(&path, "x".repeat(100)).unwrap();
        assert_eq!(read(&path, MOST).unwrap().len(), 100);
        std::fs::write(&path, "x".repeat(101)).unwrap();
        assert!(matches!(read(&path, MOST), Err(Refusal::Large(100))));
        // A file of /proc says that it is empty.
        assert!(matches!(read(Path::new("/proc/self/status"), MOST), Err(Refusal::Large(100))));
    }

    #[test]
    fn what_everybody_may_write_is_not_trusted() {
        let folder = folder();
        let path = folder.path().join("file");
        let read = |mode| {
            set_mode(&path, mode);
            read_trusted(&path, MOST).map(|trusted| (trusted.group_writes, trusted.shared))
        };
        assert_eq!(read(0o600).unwrap(), (false, false));
        assert_eq!(read(0o644).unwrap(), (false, true));
        assert_eq!(read(0o660).unwrap(), (true, true));
        for mode in [0o602, 0o606, 0o666] {
            assert!(matches!(read(mode), Err(Refusal::Writable)), "{mode:o}");
        }
    }

    #[test]
    fn this_user_and_root_are_trusted_and_no_other() {
        assert!(is_trusted(me()) && is_trusted(0));
        assert!(!is_trusted(me() + 1));
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let folder = folder();
        let (mut file, mut own) = (PathBuf::from("/etc/passwd"), PathBuf::from("/usr"));
        if me() == 0 {
            (file, own) = (folder.path().join("file"), folder.path().join("own"));
            own_folder(&own).unwrap();
            for path in [&file, &own, &folder.path().join("link")] {
                std::os::unix::fs::lchown(path, Some(65534), None).unwrap();
            }
            assert!(matches!(read_trusted(&file, MOST), Err(Refusal::Owner(65534))));
            assert!(matches!(read(&folder.path().join("link"), MOST), Err(Refusal::Link)));
            assert!(matches!(write_out(&folder.path().join("link"), b""), Err(Refusal::Link)));
        }
        assert!(matches!(open_own(&file), Err(Refusal::Owner(_))));
        assert!(matches!(own_folder(&own), Err(Refusal::Owner(_))));
    }

    #[test]
    fn a_file_of_the_programs_own_is_plain_and_for_nobody_else() {
        let folder = folder();
        let own = |name: &str| open_own(&folder.path().join(name)).map(drop);
        own("new").unwrap();
        set_mode(&folder.path().join("file"), 0o644);
        own("file").unwrap();
        assert_eq!(["new", "file"].map(|name| mode(&folder.path().join(name))), [0o600; 2]);
        assert!(matches!(own("link"), Err(Refusal::Link)));
        assert!(matches!(own("pipe"), Err(Refusal::Kind("a pipe"))));
        assert!(matches!(own("twin"), Err(Refusal::SecondName)));
        symlink(folder.path().join("nothing"), folder.path().join("dangling")).unwrap();
        assert!(matches!(own("dangling"), Err(Refusal::Link)));
        assert!(!folder.path().join("nothing").exists());
    }

    #[test]
    fn a_folder_of_the_programs_own_is_no_link_and_closed_to_others() {
        let folder = folder();
        let path = folder.path().join("a/b");
        own_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        set_mode(&path, 0o777);
        own_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        symlink(&path, folder.path().join("to")).unwrap();
        assert!(matches!(own_folder(&folder.path().join("to")), Err(Refusal::NoFolder("a symbolic link"))));
        assert!(matches!(own_folder(&folder.path().join("file")), Err(Refusal::NoFolder("a plain file"))));
    }

    #[test]
    fn what_is_no_plain_file_is_never_replaced() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        write_out(&at("new"), b"plan").unwrap();
        write_out(&at("file"), b"plan").unwrap();
        assert_eq!(
            ["new", "file"].map(|name| (std::fs::read(at(name)).unwrap(), mode(&at(name)))),
            [(b"plan".to_vec(), 0o600), (b"plan".to_vec(), 0o600)]
        );
        assert!(matches!(write_out(&at("link"), b"other"), Err(Refusal::Link)));
        assert_eq!(std::fs::read(at("file")).unwrap(), b"plan");
        assert!(matches!(write_out(&at("pipe"), b"plan"), Err(Refusal::NoReader)));
        assert!(std::fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
        assert!(matches!(write_out(folder.path(), b"plan"), Err(Refusal::Kind("a folder"))));
        symlink("/dev/null", at("null")).unwrap();
        write_out(&at("null"), b"plan").unwrap();
        assert!(std::fs::symlink_metadata(at("null")).unwrap().is_symlink());
    }

    #[test]
    fn a_pipe_that_is_read_gets_all_of_it() {
        let folder = folder();
        let path = folder.path().join("pipe");
        let text = vec![b'x'; 1 << 20];
        let reader = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read(path).unwrap()
        });
        // The reader may open its end a moment later.
        while matches!(write_out(&path, &text), Err(Refusal::NoReader)) {
            std::thread::yield_now();
        }
        assert_eq!(reader.join().unwrap(), text);
    }

    #[test]
    fn a_reader_who_takes_nothing_is_not_waited_for() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::WouldBlock.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let stopped = write_patiently(&mut Full, b"x", Duration::ZERO).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_file_that_was_unlinked_is_another_than_the_new_one_of_its_name() {
        let folder = folder();
        let path = folder.path().join("file");
        let file = File::open(&path).unwrap();
        assert!(is_still(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_still(&file, &path).unwrap());
        std::fs::write(&path, "").unwrap();
        assert!(!is_still(&file, &path).unwrap());
    }
}
