//! Memory that the allocator holds and nobody uses.

/// Gives it back to the system: glibc keeps what lies between blocks in use, whatever its size, until it is asked.
/// Takes some 10 ms for some 100 MiB.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) may be called at any time, by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
