//! Real programs and system calls on a mounted volume whose device is recorded: what a call made
//! durable is in every state that a power cut may leave.

mod calls;
mod names;
mod program;
mod recorded;
mod sqlite;
mod states;
mod synchronous;
mod transactions;
