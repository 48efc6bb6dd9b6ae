//! Which transport a mount is to use, and which one it does.

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportChoice {
    /// io_uring where the kernel and this process can, else /dev/fuse.
    #[default]
    Auto,
    /// io_uring, or no mount.
    Uring,
    /// /dev/fuse.
    Dev,
}

impl TransportChoice {
    /// By its name in `-o transport=`.
    pub fn parse(text: &str) -> Option<TransportChoice> {
        match text {
            "auto" => Some(TransportChoice::Auto),
            "uring" => Some(TransportChoice::Uring),
            "dev" => Some(TransportChoice::Dev),
            _ => None,
        }
    }
}

/// How requests reach a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// FUSE over io_uring, served by this many threads.
    Uring { threads: usize },
    /// /dev/fuse; `reason`: why not io_uring, where that was wanted.
    Dev { reason: Option<String> },
}
