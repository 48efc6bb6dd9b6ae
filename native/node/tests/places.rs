//! Where lines go when nobody reads our output: the modules alone, without the Node around the addon.

#[path = "../src/places.rs"]
mod places;
#[path = "../src/system_log.rs"]
mod system_log;

use places::{OWN_BYTES_MAX, Places};
use std::fs::OpenOptions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hn4-log-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
    fn places(&self) -> Places {
        Places { file: None, system: self.path("system"), own: Some(self.path("own")) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn received(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 1000];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn a_line_goes_to_the_system_log_and_nowhere_else() {
    let folder = Folder::new("system");
    let system = UnixDatagram::bind(folder.path("system")).unwrap();
    let mut places = folder.places();
    assert_eq!(places.name(), Path::new("system log"));
    places.line("read-only now");
    let line = received(&system);
    assert!(line.starts_with("<28>"), "{line}");
    assert!(line.ends_with(&format!(" hn4[{}]: read-only now", std::process::id())), "{line}");
    assert!(!folder.path("own").exists());
}

#[test]
fn a_log_that_listens_for_streams_gets_the_line_too() {
    use std::io::Read;
    let folder = Folder::new("stream");
    let system = UnixListener::bind(folder.path("system")).unwrap();
    let mut places = folder.places();
    places.line("read-only now");
    let (mut stream, _) = system.accept().unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("read-only now\0"), "{text}");
    assert_eq!(places.name(), Path::new("system log"));
}

#[test]
fn without_a_system_log_lines_go_to_the_own_one_also_when_it_ended_later() {
    let folder = Folder::new("own");
    let mut places = folder.places();
    assert_eq!(places.name(), folder.path("own"));
    places.line("one");
    let system = UnixDatagram::bind(folder.path("system")).unwrap();
    places.line("two");
    assert!(received(&system).ends_with("two"));
    drop(system);
    // Its name is still there, but nobody listens.
    places.line("three");
    let own = folder.text("own");
    let lines: Vec<&str> = own.lines().collect();
    assert_eq!(lines.len(), 2, "{own}");
    assert!(lines[0].ends_with(": one") && lines[1].ends_with(": three"), "{own}");
    let mode = folder.path("own").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_takes_no_more_hands_on_to_the_next_place() {
    let folder = Folder::new("full");
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    let mut places = Places { file: Some((full, "/dev/full".into())), ..folder.places() };
    places.line("kept");
    assert!(folder.text("own").ends_with(": kept\n"));
    assert_eq!(places.name(), Path::new("/dev/full"));
}

#[test]
fn the_own_log_is_bounded_and_follows_no_link() {
    let folder = Folder::new("bounded");
    let mut places = folder.places();
    std::fs::write(folder.path("own"), vec![b'x'; OWN_BYTES_MAX as usize]).unwrap();
    places.line("next");
    assert_eq!(folder.text("own.old").len() as u64, OWN_BYTES_MAX);
    assert_eq!(folder.text("own").lines().count(), 1);
    std::fs::remove_file(folder.path("own")).unwrap();
    symlink(folder.path("elsewhere"), folder.path("own")).unwrap();
    places.line("lost");
    assert!(!folder.path("elsewhere").exists());
    assert_eq!(Places { own: None, ..folder.places() }.name(), Path::new("nowhere"));
}
