//! Tests that must come to an end.

use std::sync::mpsc;
use std::time::Duration;

/// The result of `work`, which runs in a thread of its own. Panics if it takes longer than `seconds`:
/// something waits for ever. (A limit far beyond any machine's slowness, not a measure.)
pub fn within<R: Send + 'static>(seconds: u64, what: &str, work: impl FnOnce() -> R + Send + 'static) -> R {
    let (send, receive) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let _ = send.send(work());
    });
    match receive.recv_timeout(Duration::from_secs(seconds)) {
        Ok(result) => {
            worker.join().expect("it has sent its result");
            result
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: no end in {seconds} s"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = worker.join().err().unwrap_or_else(|| Box::new("no result"));
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            panic!("{what}: {}", text.unwrap_or_default())
        }
    }
}
