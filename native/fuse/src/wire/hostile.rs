//! The decoder and the handler against bytes no kernel would send.

use super::{Dialect, Op, decode, split};
use crate::abi::{ForgetOne, InHeader, opcode};
use crate::handler::{Body, Handler, Settings};
use crate::wire::Reply;
use hn4_core::testing::{MemVfs, Rng};
use std::sync::Arc;
use zerocopy::FromBytes;

/// Up to 255 bytes, often small numbers and zeros, as in real requests.
fn body(rng: &mut Rng) -> Vec<u8> {
    (0..rng.below(256))
        .map(|_| match rng.below(4) {
            0 => rng.next_u64() as u8,
            1 => rng.below(9) as u8,
            _ => 0,
        })
        .collect()
}

/// The seed of the next run, or the one in HN4_SEED.
fn seed() -> u64 {
    let given = std::env::var("HN4_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()) * 7_919);
    println!("HN4_SEED={seed}");
    seed
}

#[test]
fn any_bytes_decode_or_are_refused() {
    let mut rng = Rng::new(seed());
    for round in 0..300_000 {
        let body = body(&mut rng);
        let number = rng.below(60) as u32;
        let dialect = Dialect { setxattr_ext: round % 2 == 0 };
        let Ok((fixed, payload)) = split(number, &body, dialect) else { continue };
        if let Ok(Op::BatchForget(list)) = decode(number, fixed, payload, dialect) {
            assert!(list.iter().count() * size_of::<ForgetOne>() <= payload.len());
        }
    }
}

#[test]
fn any_request_is_answered_without_panic() {
    let mut rng = Rng::new(seed());
    let panics = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = panics.clone();
    let count: crate::Log = Arc::new(move |line: &str| {
        // Without a mount, the kernel cannot be told of a mode: that is a line, too.
        let panicked = usize::from(line.contains("panicked"));
        seen.fetch_add(panicked, std::sync::atomic::Ordering::Relaxed);
    });
    let handler = Handler::new(
        Arc::new(MemVfs::new(64)),
        Settings { log: count, ..Settings::default() },
        Arc::default(),
        None,
    );
    let mut buf = vec![0; 1 << 20];
    for _ in 0..100_000 {
        let mut head = [0; size_of::<InHeader>()];
        head.iter_mut().for_each(|byte| *byte = if rng.chance(1, 3) { rng.next_u64() as u8 } else { 0 });
        let Ok(mut header) = InHeader::read_from_bytes(&head) else { continue };
        header.opcode = rng.below(60) as u32;
        // Closing the volume would end the test's subject.
        if header.opcode == opcode::DESTROY {
            continue;
        }
        header.nodeid = [1, 16, 17, rng.next_u64()][rng.below(4) as usize];
        // As both transports hand it over: io_uring gives the fixed part 128 bytes.
        let bytes = body(&mut rng);
        let mut fixed = [0; 128];
        fixed.iter_mut().for_each(|byte| *byte = if rng.chance(1, 2) { rng.next_u64() as u8 } else { 0 });
        for body in [Body::Whole(&bytes), Body::Parts(&fixed, &bytes)] {
            handler.handle(&header, body, &mut Reply::new(&mut buf));
        }
    }
    assert_eq!(panics.load(std::sync::atomic::Ordering::Relaxed), 0);
}
