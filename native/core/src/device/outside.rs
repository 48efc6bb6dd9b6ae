//! What others do to a device while it has a writer.

/// What happened behind the writer's back, as far as the host tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Somebody had it open, perhaps to write: what must stand on it is worth a look.
    pub touched: bool,
    /// Its name leads elsewhere or nowhere; it is still there itself.
    pub moved: bool,
}
