//! Promises of work on a thread of its own.
//!
//! Not on libuv's pool: that has four threads, and a process cannot exit while one of them works.

use crate::failure::Failure;
use napi::bindgen_prelude::{Either, Env, Object, ToNapiValue};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// A promise of `work`'s result; a failure and a panic become a [`Failure`], never a rejection.
pub fn promise<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    name: &str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> napi::Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred()?;
    thread::Builder::new().name(name.into()).spawn(move || {
        let outcome = match guard(work) {
            Ok(value) => Either::A(value),
            Err(failure) => Either::B(failure),
        };
        deferred.resolve(move |_| Ok(outcome));
    })?;
    Ok(promise)
}

/// Runs `work`; a panic becomes a failure with its message.
pub fn guard<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic leaves half done is dropped with its error, or guarded by locks of its own.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| Err(Failure::panic(message(&*cause).into())))
}

/// What `panic!` was given.
pub fn message(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}
