//! A program that works in the mount as a process of its own: this executable again.
//!
//! It must not be the process that serves the mount. One that waits for a page of its own mount may
//! hold locks of its address space that the session's threads need.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WHERE: &str = "HN4_PROGRAM_DIR";
const WHAT: &str = "HN4_PROGRAM_WHAT";
/// Begins the lines that are for the test.
const SIGN: char = '@';

/// In the program: where it works, and its argument. None if nobody started it for this.
pub fn order() -> Option<(PathBuf, String)> {
    Some((std::env::var_os(WHERE)?.into(), std::env::var(WHAT).ok()?))
}

/// In the program: says a line, and goes on once the test has taken it.
pub fn tell(line: &str) {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{SIGN}{line}").expect("the test listens");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).expect("the test answers");
    assert!(!answer.is_empty(), "the test is gone");
}

/// Runs the ignored test `name` as a program in `dir` to its end; `heard` takes its lines. Panics with
/// what else it said if it fails.
pub fn run(name: &str, dir: &Path, what: &str, mut heard: impl FnMut(&str)) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([name, "--exact", "--ignored", "--nocapture"])
        .env(WHERE, dir)
        .env(WHAT, what)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut answers = child.stdin.take().expect("piped");
    let mut rest = String::new();
    for line in BufReader::new(child.stderr.take().expect("piped")).lines() {
        let line = line.expect("text");
        match line.strip_prefix(SIGN) {
            Some(line) => {
                heard(line);
                writeln!(answers).expect("it waits");
            }
            None => rest = format!("{rest}{line}\n"),
        }
    }
    let status = child.wait().expect("ended");
    assert!(status.success(), "{name} in {}: {status}\n{rest}", dir.display());
}
