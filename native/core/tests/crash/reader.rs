//! The TypeScript reader beside the engine: a program that opens the image of each state too, finds the
//! same tree in it, and checks its structure (test/support/crash-reader.ts).

use crate::tree::manifest_of;
use hn4_core::device::testing::MemDevice;
use hn4_core::format::DescriptorTable;
use hn4_core::superblocks;
use hn4_core::testing::Tree;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A reader at work. It lives as long as the thread that asks it.
struct Reader {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

thread_local! {
    static READERS: RefCell<HashMap<&'static str, Reader>> = RefCell::default();
}

impl Reader {
    fn start(script: std::ffi::OsString, codec: &str) -> Reader {
        let mut child = Command::new("node")
            .arg(script)
            .env("HN4_CRASH_CODEC", codec)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("HN4_CRASH_READER needs node");
        Reader { questions: child.stdin.take(), answers: BufReader::new(child.stdout.take().unwrap()), child }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

/// A new file, in memory where the machine has such a directory.
fn image_file() -> tempfile::TempPath {
    let memory = std::path::Path::new("/dev/shm");
    let dir = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("hn4-crash-").tempfile_in(dir).unwrap().into_temp_path()
}

/// A state that the reader looks at.
pub struct Asked {
    codec: &'static str,
    is_answered: bool,
    /// Kept until the answer is there.
    _image: tempfile::TempPath,
}

/// Gives the image of a state, in which the engine found `tree`, to the reader of HN4_CRASH_READER; None
/// without one. The reader works while the engine goes on.
pub fn ask(image: &MemDevice, tree: &Tree) -> Option<Asked> {
    let script = std::env::var_os("HN4_CRASH_READER")?;
    let path = image_file();
    image.save(&path).unwrap();
    let opened = superblocks::read_for(image, &DescriptorTable::ALL).expect("a superblock lasts");
    let codec = if opened.geometry.descriptors.has_stamps() { "xor" } else { "" };
    READERS.with_borrow_mut(|readers| {
        let reader = readers.entry(codec).or_insert_with(|| Reader::start(script, codec));
        let question = json!({ "image": &*path, "files": manifest_of(tree) });
        writeln!(reader.questions.as_mut().unwrap(), "{question}").expect("the reader has ended");
    });
    Some(Asked { codec, is_answered: false, _image: path })
}

fn next_line(codec: &str) -> String {
    let mut line = String::new();
    READERS
        .with_borrow_mut(|readers| readers.get_mut(codec).map(|reader| reader.answers.read_line(&mut line)));
    line
}

impl Asked {
    /// What the reader found: an error if it differs or the volume's structure is wrong.
    pub fn answer(mut self) -> Result<(), String> {
        self.is_answered = true;
        let line = next_line(self.codec);
        match serde_json::from_str(&line) {
            Ok(Value::Null) => Ok(()),
            Ok(Value::String(problem)) => Err(problem),
            _ => panic!("the reader ended, or said {line:?}"),
        }
    }
}

impl Drop for Asked {
    /// The engine failed meanwhile: the answer must not be taken for that of the next state.
    fn drop(&mut self) {
        if !self.is_answered {
            next_line(self.codec);
        }
    }
}
